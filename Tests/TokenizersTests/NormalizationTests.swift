import Testing
import Values

@testable import Tokenizers

/// Text normalized between its inert characters is what all of it at once becomes.
@Suite struct NormalizationTests {
  @Test(arguments: [(false, false), (false, true), (true, false), (true, true)])
  func piecewise(isCompatible: Bool, composes: Bool) {
    let form = NormalizationForm(isCompatible: isCompatible, composes: composes)
    func check(_ scalars: [Unicode.Scalar]) -> Bool {
      var whole: [UInt8] = []
      for (value, _) in Normalization.normalize(scalars, isCompatible: isCompatible, composes: composes) {
        whole.append(scalar: value)
      }
      var text = scalars.flatMap { Array(String($0).utf8) }
      var first = 0
      form.normalize(&text, first: &first)
      return text == whole
    }
    let marks = [0x301, 0x323, 0x345, 0x34F, 0x5B0, 0x64B, 0x93C, 0x9BE, 0xCC2, 0xCD5, 0x102E, 0x3099, 0x11A8, 0x1161]
      .compactMap { Unicode.Scalar($0 as UInt32) }
    let blocks: [ClosedRange<UInt32>] = [
      0...0x33FF, 0xA600...0xABFF, 0xD780...0x12FFF, 0x1BC00...0x1F2FF, 0x2F800...0x2FA1F,
    ]
    var stream = RandomStream(seed: 8)
    // Every scalar with what composes, before and after it.
    for value in blocks.joined() {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let first = marks[stream.integer(below: marks.count)]
      let second = marks[stream.integer(below: marks.count)]
      guard check([scalar]), check([scalar, first, second, "a", scalar, second]), check(["e", first, scalar]) else {
        Issue.record("U+\(String(value, radix: 16))")
        return
      }
    }
    for _ in 0..<50_000 {
      let scalars = (0..<stream.integer(below: 10)).compactMap { _ -> Unicode.Scalar? in
        if stream.integer(below: 3) == 0 { return marks[stream.integer(below: marks.count)] }
        let block = blocks[stream.integer(below: blocks.count)]
        return Unicode.Scalar(block.lowerBound + UInt32(stream.integer(below: block.count)))
      }
      guard check(scalars) else {
        Issue.record("\(scalars.map(\.value))")
        return
      }
    }
  }
}
