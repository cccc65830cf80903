import Testing
import Values

@testable import Checkpoints

/// GGUF's K formats, MXFP4 and the writing of Q8_0 against the package gguf, bit for bit:
/// Tests/Oracles/make_kquants.py.
@Suite struct KQuantizationTests {
  @Test func blocksDecodeToTheSameBits() throws {
    let cases = try #require(json("kquants.json").array)
    #expect(cases.count == 6)
    for example in cases {
      let number = try #require(example["number"]?.integer)
      let type = try #require(GGUFType.numbered(UInt32(number)))
      #expect(type.name == example["name"]?.string)
      // At an odd address: the file aligns tensors, not blocks.
      let bytes = [0] + (try integers(example["bytes"])).map { UInt8($0) }
      let expected = try integers(example["bits"]).map { UInt32($0) }
      #expect(bytes.count - 1 == 3 * type.blockBytes && expected.count == 3 * type.blockElements)
      var values = [Float](repeating: .nan, count: expected.count)
      let decode = try #require(type.decode)
      bytes.withUnsafeBytes { source in
        guard let start = source.baseAddress else { return }
        values.withUnsafeMutableBufferPointer { decode(start + 1, $0) }
      }
      #expect(values.map(\.bitPattern) == expected, "\(type.name)")
    }
  }

  @Test func numbersAreWrittenAsTheSameQ8_0() throws {
    let example = try json("q8_0.json")
    let values = try integers(example["bits"]).map { Float(bitPattern: UInt32($0)) }
    let expected = try integers(example["bytes"]).map { UInt8($0) }
    #expect(values.count == 7 * 32 && GGUFElementType.q80.bytes(values.count) == expected.count)
    var bytes = [UInt8](repeating: 0xAA, count: expected.count)
    values.withUnsafeBufferPointer { source in
      bytes.withUnsafeMutableBytes {
        if let start = $0.baseAddress { GGUFElementType.q80.encode(source, into: start) }
      }
    }
    for block in 0..<7 {
      #expect(bytes[34 * block..<34 * block + 34] == expected[34 * block..<34 * block + 34], "\(block)")
    }
  }

  private func json(_ name: String) throws -> Value {
    try JSON.parse(readBytes(fixture(name)), source: name)
  }

  private func integers(_ value: Value?) throws -> [Int] {
    let array = try #require(value?.array)
    return try array.map { element in try #require(element.integer) }
  }
}
