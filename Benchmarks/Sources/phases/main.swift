import CKernels
import Foundation
import Measuring
import Values

// Where the time goes: each phase of sampling and training, beside what the machine could do.
@testable import Alignment
@testable import Kernels
@testable import Models
@testable import Sampling

let usage = """
  Usage: phases MODEL… [--threads N] [--dtypes float32,bfloat16]

  Times the phases of sampling and training with each model (Hugging Face directories), on all cores unless told
  otherwise, and measures the machine's peak of multiply-adds and its reading bandwidth in the same run. Prints lines of
  JSON: the machine's limits, then a line a phase. draw.lua makes tables and pictures of them.
  """

func fail(_ message: String) -> Never {
  FileHandle.standardError.write(Data("phases: \(message)\n".utf8))
  exit(2)
}

func report(_ fields: [(String, Value)]) {
  guard let line = try? JSON.print(.table(Table(fields))) else { fail("a number is not finite") }
  FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

/// Medians of repeated runs, over about `least` seconds, of something that takes its own times.
func medians(least: Double = 1, _ body: () throws -> [Double]) rethrows -> [Double] {
  _ = try body()
  var runs: [[Double]] = []
  let start = ContinuousClock.now
  while runs.count < 5 || (ContinuousClock.now - start).seconds < least { runs.append(try body()) }
  return runs[0].indices.map { part in runs.map { $0[part] }.sorted()[runs.count / 2] }
}

/// Seconds since the last call with the same clock.
struct Lap {
  private var last = ContinuousClock.now
  mutating func callAsFunction() -> Double {
    let now = ContinuousClock.now
    defer { last = now }
    return (now - last).seconds
  }
}

struct Phases {
  let model: Model
  let name: String
  var network: Network { model.network }

  /// Sizes of a model whose layers are all alike, as work.lua takes them.
  private var shape: Table {
    let (plan, table) = (network.plan, network.configuration.table)
    let sparse = network.experts > 0
    return Table([
      ("layers", .integer(network.layers)), ("channels", table["hidden_size"] ?? .null),
      ("vocabulary", .integer(plan.vocabulary)),
      ("queries", .integer((table["num_attention_heads"]?.integer ?? 0) * plan.headSize)),
      ("keys_values", .integer(plan.keyValueWidth.keys + plan.keyValueWidth.values)),
      ("experts", .integer(max(network.experts, 1))), ("chosen", .integer(max(plan.expertsPerToken, 1))),
      ("width", table[sparse ? "moe_intermediate_size" : "intermediate_size"] ?? .null),
      ("weight_bytes", .integer(model.computeType == .bfloat16 ? 2 : 4)),
    ])
  }

  private func ids(_ count: Int, seed: UInt64) -> [Int32] {
    var stream = RandomStream(seed: seed)
    return (0..<count).map { _ in 2 + Int32(stream.uniform() * Double(model.vocabularySize - 2)) }
  }

  /// - Parameters:
  ///   - tokens: rows that go through the phase.
  ///   - keys: that each attends to, in the mean.
  private func report(_ phase: String, tokens: Int, keys: Double = 0, seconds: Double) {
    phases.report([
      ("phase", .string(phase)), ("model", .string(name)), ("dtype", .string(model.computeType.rawValue)),
      ("tokens", .integer(tokens)), ("keys", .number(keys)), ("seconds", .number(seconds)), ("shape", .table(shape)),
    ])
  }

  func measure() throws {
    prompt(512)
    decode(sequences: 32, keys: 42)
    decode(sequences: 1, keys: 138)
    try train()
  }

  private func prompt(_ count: Int) {
    let prompt = ids(count, seed: 1)
    let seconds = medians {
      var lap = Lap()
      _ = network.logits(after: prompt)
      return [lap()]
    }
    report("prompt", tokens: count, keys: Double(count + 1) / 2, seconds: seconds[0])
  }

  /// A token of each of some sequences that have `keys` tokens so far.
  private func decode(sequences: Int, keys: Int) {
    let cache = KeyValueCache(
      layers: network.layers, width: network.plan.keyValueWidth, in: network.workspace)
    var batch = TokenBatch()
    for (sequence, token) in ids(sequences, seed: 2).enumerated() {
      cache.startPass()
      var rows = PagedRows()
      var pass = TokenBatch()
      for token in ids(keys, seed: UInt64(sequence)) {
        let before = rows.spans
        pass.append([token], keyValueRow: rows.extend(by: 1, in: cache).row, after: before)
      }
      pass.endTree()
      _ = network.decoder.hidden(
        Pass(pass, parameters: network.parameters, workspace: network.workspace, cache: cache))
      cache.startPass()
      let before = rows.spans
      batch.append([token], keyValueRow: rows.extend(by: 1, in: cache).row, after: before)
    }
    batch.endTree()
    let filter = TokenFilter(temperature: 1, top_k: 0, top_p: 1, min_p: 0)
    var stream = RandomStream(seed: 3)
    let seconds = medians {
      cache.startPass()
      let u = (0..<sequences).map { _ in stream.uniform() }
      var lap = Lap()
      let pass = Pass(batch, parameters: network.parameters, workspace: network.workspace, cache: cache)
      let logits = network.decoder.head.logits(network.decoder.hidden(pass), pass)
      let tokens = network.workspace.indices(sequences)
      let logp = network.workspace.matrix(sequences, 1)
      drawTokens(logits, filter, u: u, into: tokens, logp: logp)
      logSoftmax(Rows(logits), temperature: 1, targets: tokens, logp: logp, lse: nil, entropy: nil)
      return [lap()]
    }
    report("decode", tokens: sequences, keys: Double(keys + 1), seconds: seconds[0])
  }

  /// The update on 4 groups of 8 completions of 64 tokens after prompts of 10.
  private func train() throws {
    let trees: [SequenceTree] = (0..<4).map { (group: UInt64) in
      SequenceTree(
        prompt: ids(10, seed: 100 + group), branches: (0..<8).map { ids(64, seed: 200 + 8 * group + $0) })
    }
    let optimizer = Optimizer(network, OptimizerOptions())
    let seconds = try medians(least: 3) {
      network.zeroGradients()
      network.workspace.reset()
      var lap = Lap()
      let (pass, targets) = network.prepare(trees, .tokens)
      let (hidden, kept) = network.decoder.forward(pass)
      let forward = lap()
      let scores = network.decoder.head.score(hidden, targets, temperature: 1, kept: nil, pass)
      let dhidden = network.workspace.zeros(hidden.rows, hidden.columns)
      let dlogp = network.workspace.zeros(scores.logp.rows, 1)
      for row in 0..<dlogp.rows { dlogp.start[row] = row % 2 == 0 ? 1e-4 : -1e-4 }
      network.decoder.head.backward(dlogp, scores, hidden: hidden, addingTo: dhidden, pass)
      let head = lap()
      network.decoder.backward(dhidden, kept, pass)
      let backward = lap()
      guard optimizer.step(learningRate: 1e-7).isFinite else { throw GRAOError("the gradient is not finite") }
      network.zeroGradients()
      return [forward, head, backward, lap()]
    }
    let rows = trees.reduce(0) { $0 + $1.rows }
    let targets = 4 * 8 * 64
    // A completion's token sees its prompt and half of the 63 tokens that are read, in the mean.
    let keys = 10 + 63.0 / 2
    report("forward", tokens: rows, keys: keys, seconds: seconds[0])
    report("head", tokens: targets, seconds: seconds[1])
    report("backward", tokens: rows, keys: keys, seconds: seconds[2])
    report("optimizer", tokens: targets, seconds: seconds[3])
  }
}

var models: [String] = []
var dtypes = ["float32", "bfloat16"]
var arguments = CommandLine.arguments.dropFirst()
while let argument = arguments.popFirst() {
  switch argument {
  case "--help", "-h":
    print(usage)
    exit(0)
  case "--threads":
    guard let count = arguments.popFirst().flatMap({ Int($0) }), count > 0 else {
      fail("--threads needs a number from 1")
    }
    Machine.threads = count
  case "--dtypes":
    dtypes = arguments.popFirst()?.split(separator: ",").map(String.init) ?? []
  default: models.append(argument)
  }
}
if models.isEmpty { fail("which model? See --help") }
do {
  try Machine.setUp()
  for path in models {
    for dtype in dtypes {
      guard let computeType = ComputeType(rawValue: dtype) else { fail("unknown type '\(dtype)'") }
      let model = try Model.load(path, computeType: computeType)
      try Phases(model: model, name: URL(fileURLWithPath: path).lastPathComponent).measure()
    }
  }
  // Last: a machine that is shared gives its first seconds more than what follows.
  report([
    ("threads", .integer(Machine.threads)), ("variant", .string(Machine.variant)),
    ("float32_gflops", .number(multiplyAddPeak())), ("bfloat16_gflops", .number(multiplyAddPeak(bfloat16: true))),
    ("gbytes_per_second", .number(readBandwidth())),
  ])
} catch {
  fail("\(error)")
}
