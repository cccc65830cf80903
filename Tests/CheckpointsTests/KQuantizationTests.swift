import Foundation
import Testing
import Values

@testable import Checkpoints

/// GGUF's K formats against the package gguf, bit for bit: Tests/Oracles/make_kquants.py.
@Suite struct KQuantizationTests {
  @Test func blocksDecodeToTheSameBits() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/checkpoints/kquants.json")
    let cases = try #require(JSON.parse(Data(contentsOf: file), source: "kquants.json").array)
    #expect(cases.count == 5)
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

  private func integers(_ value: Value?) throws -> [Int] {
    let array = try #require(value?.array)
    return try array.map { element in try #require(element.integer) }
  }
}
