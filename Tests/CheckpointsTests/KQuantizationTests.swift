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
      let type = try #require(GGUFType.numbered(UInt32(try #require(example["number"]?.integer))))
      #expect(type.name == example["name"]?.string)
      // At an odd address: the file aligns tensors, not blocks.
      let bytes = [0] + (try #require(example["bytes"]?.array).map { UInt8(try #require($0.integer)) })
      let expected = try #require(example["bits"]?.array).map { UInt32(try #require($0.integer)) }
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
}
