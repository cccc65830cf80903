import Checkpoints
import Models
import TestSupport
import Testing

/// gpt_oss as published, its experts in MXFP4, against transformers: Tests/Oracles/make_mxfp4.py.
@Suite(.machine) struct MXFP4ModelTests {
  @Test func logits() throws {
    let folder = Fixtures.path("checkpoints/mxfp4")
    let network = try Network.load(openCheckpoint(folder))
    let expected = try GoldenTensors(folder).values("logits")
    let ids: [Int32] = [5, 9, 3, 17, 22, 8, 41, 30]
    let largest = expected.reduce(0) { max($0, abs($1)) }
    for length in 1...ids.count {
      let difference = largestDifference(
        network.logits(after: Array(ids.prefix(length))), expected[(length - 1) * 96..<length * 96])
      #expect(difference <= 2e-6 * largest, "after \(length) tokens")
    }
  }
}
