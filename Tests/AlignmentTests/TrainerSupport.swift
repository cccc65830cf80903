import Alignment
import Data
import Models
import Sampling
import TestSupport
import Testing
import Values

/// Everything that trains nests here.
@Suite(.machine) struct TrainerSuite {
  static let models = ["llama", "llama_tied", "qwen3_moe"]
}

/// Rows of ids for the fixtures' vocabulary of 96: prompts of 2 to 7 tokens, references of 1 to 4.
func rows(_ count: Int = 6) -> [Table] {
  (0..<count).map { row in
    let prompt = (0...(1 + row % 6)).map { Value.integer(3 + (17 * row + 5 * $0) % 90) }
    let reference = (0...(row % 4)).map { Value.integer(3 + (31 * row + 7 * $0) % 90) }
    return Table([("prompt", .array(prompt)), ("reference", .array(reference)), ("number", .integer(row))])
  }
}

func dataset(_ count: Int = 6) throws -> Dataset { try Dataset(rows: rows(count), source: "rows") }

/// The share of even ids: rewards that differ between the samples of a random model.
var evenShare: Reward {
  Reward("even") { sample in Double(sample.ids.count { $0 % 2 == 0 }) / Double(sample.ids.count) }
}

/// A GRAO run of a few small steps.
func graoOptions(
  _ rewards: [Reward] = [evenShare], _ change: (inout TrainingOptions) throws -> Void = { _ in }
) throws -> TrainingOptions {
  var options = TrainingOptions(method: .grao)
  options.rewards = rewards
  options.promptsPerStep = 2
  options.groupSize = 4
  options.sampling.maxNewTokens = 6
  options.optimizer.learningRate = .constant(1e-3)
  options.steps = 3
  options.seed = 11
  try change(&options)
  return options
}

extension Model {
  static func fixture(_ name: String) throws -> Model { try Model.load(Fixtures.model(name)) }

  /// Every parameter, row-major, as bits.
  var bits: [[UInt32]] {
    network.parameters.parameters.map { network.parameters.value($0).map(\.bitPattern) }
  }
}

extension Table {
  func number(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Double {
    try #require(self[name]?.number, "\(name)", sourceLocation: sourceLocation)
  }
}

/// The message of the GRAOError that `body` throws.
func message(
  sourceLocation: SourceLocation = #_sourceLocation, of body: () throws -> some Any
) throws -> String {
  try #require(throws: GRAOError.self, sourceLocation: sourceLocation) { _ = try body() }.message
}
