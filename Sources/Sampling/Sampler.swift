import Kernels
import Models
import Tokenizers
import Values

/// Continuous batching: the completions of many prompts advance together, a token a pass; a prompt's prefix is
/// computed once and shared; whoever is finished makes room for the next prompt.
///
/// A completion depends on its prompt, its options and its random stream alone, not on what runs beside it: every
/// forward operation computes its rows independently.
struct Sampler {
  /// Completions that run at once, and bytes that their keys and values may come to: many, who share each weight that is
  /// read, where they are small; else fewer.
  private static let bounds = [(running: 128, bytes: 1 << 30), (running: 64, bytes: 4 << 30)]
  /// Logits of a pass, of which each completion has those of the vocabulary.
  private static let maximumLogits = 16 << 20
  /// Bytes that the cache begins with at most.
  private static let maximumReserve = 256 << 20
  /// Prompt tokens of one pass.
  private static let maximumPrefill = 1024

  private let network: Network
  private let tokenizer: Tokenizer?
  private let endOfSequence: Set<Int32>
  private let options: GenerationOptions
  private let filter: TokenFilter
  private let cache: KeyValueCache
  /// Completions that run at once. What runs beside a completion does not change it.
  private let lanes: Int

  /// Nil where no training follows that could use it.
  private var recording: RolloutRecording?
  /// Of the pass at hand.
  private var batch = TokenBatch()
  private var running: [Running] = []
  private var prompts: [Int: SharedPrompt] = [:]
  private var results: [[Completion?]] = []

  /// - Parameter recording: of the same network; made before, since the cache lies behind what it has taken.
  init(
    network: Network, tokenizer: Tokenizer?, endOfSequence: Set<Int32>, options: GenerationOptions,
    recording: RolloutRecording? = nil
  ) {
    self.recording = recording
    self.network = network
    self.tokenizer = tokenizer
    self.endOfSequence = endOfSequence
    self.options = options
    filter = TokenFilter(
      temperature: options.temperature, top_k: Int32(options.topK), top_p: options.topP, min_p: options.minP)
    cache = KeyValueCache(layers: network.layers, width: network.plan.keyValueWidth, in: network.workspace)
    let bytes = max(network.cacheBytesPerToken * min(options.maxNewTokens, network.plan.context), 1)
    let most = Self.bounds.map { min($0.running, $0.bytes / bytes) }.max() ?? 1
    lanes = max(1, min(most, Self.maximumLogits / network.plan.vocabulary))
  }

  /// A prompt's rows in the cache, while completions of it run.
  private struct SharedPrompt {
    let rows: PagedRows
    var users: Int
  }

  /// A completion on its way.
  private struct Running {
    let prompt: Int
    let sample: Int
    /// Names its entry in `prompts`.
    let unit: Int
    var stream: RandomStream
    var rows: PagedRows
    var ids: [Int32] = []
    var logprobs: [Float] = []
    var stopSearch: StopSearch?
  }

  /// Some samples of one prompt, admitted together.
  private struct Unit {
    let prompt: Int
    let samples: Range<Int>
  }

  /// Completions of each prompt; prompts are valid ids, shorter than the context. `progress` is called after each
  /// pass with the tokens it drew, and may throw to stop.
  mutating func run(_ promptIDs: [[Int32]], progress: (_ tokens: Int) throws -> Void) rethrows -> [[Completion]] {
    cache.grow(toPages: pages(promptIDs))
    results = promptIDs.map { _ in Array(repeating: nil, count: options.samples) }
    let units = promptIDs.indices.flatMap { prompt in
      stride(from: 0, to: options.samples, by: lanes).map { start in
        Unit(prompt: prompt, samples: start..<min(start + lanes, options.samples))
      }
    }
    var next = 0
    while next < units.count || !running.isEmpty {
      var admitted = next..<next
      var room = lanes - running.count
      while admitted.upperBound < units.count,
        room >= units[admitted.upperBound].samples.count || running.isEmpty && admitted.isEmpty
      {
        room -= units[admitted.upperBound].samples.count
        admitted = next..<admitted.upperBound + 1
      }
      next = admitted.upperBound
      let drawn = start(admitted.map { ($0, units[$0]) }, promptIDs) + advance(promptIDs)
      try progress(drawn)
    }
    let completions = results.map { $0.compactMap { $0 } }
    recording?.finish(completions)
    return completions
  }

  /// Of the cache, for prompts and whole completions that run at once; within a bound past which it grows as they do.
  private func pages(_ promptIDs: [[Int32]]) -> Int {
    func pages(_ rows: Int) -> Int { rows / KeyValueCache.pageRows + 1 }
    let completions = min(lanes, promptIDs.count * options.samples)
    let own = completions * pages(min(options.maxNewTokens, network.plan.context))
    let wanted = promptIDs.prefix(completions).reduce(own) { $0 + pages($1.count) }
    return min(wanted, Self.maximumReserve / (network.cacheBytesPerToken * KeyValueCache.pageRows + 1))
  }

  // MARK: Passes

  /// Computes the prompts of some units, in passes of a bounded number of tokens, and draws the first token of each
  /// sample. Returns the tokens drawn.
  private mutating func start(_ units: [(number: Int, unit: Unit)], _ promptIDs: [[Int32]]) -> Int {
    var drawn = 0
    var (index, position) = (0, 0)
    var rows = PagedRows()
    while index < units.count {
      cache.startPass()
      batch.removeAll()
      // The units whose prompts end in this pass, and the rows where they do.
      var ended: [(index: Int, rows: PagedRows)] = []
      var lastRows: [Int32] = []
      while index < units.count, batch.count < Self.maximumPrefill {
        let ids = promptIDs[units[index].unit.prompt]
        let before = rows.spans
        let (row, count) = rows.extend(by: ids.count - position, in: cache)
        let first = batch.append(ids[position..<position + count], keyValueRow: row, after: before)
        recording?.add(row: first, count: count, ofPrompt: units[index].unit.prompt, from: position)
        position += count
        if position == ids.count {
          ended.append((index, rows))
          lastRows.append(Int32(batch.count - 1))
          (index, position, rows) = (index + 1, 0, PagedRows())
        }
      }
      let pass = endBatch()
      let hidden = network.decoder.hidden(pass)
      let last = network.workspace.matrix(ended.count, hidden.columns)
      gatherRows(hidden, network.workspace.indices(lastRows), into: last)
      let logits = network.decoder.head.logits(last, pass)
      recording?.store(logits, after: ended.map { (units[$0.index].unit.prompt, nil) })
      var begun: [Running] = []
      var rowOfEach: [Int32] = []
      for (row, end) in ended.enumerated() {
        let (number, unit) = units[end.index]
        begun += begin(unit, number: number, rows: end.rows)
        rowOfEach += Array(repeating: Int32(row), count: unit.samples.count)
      }
      let each = network.workspace.matrix(begun.count, logits.columns)
      gatherRows(logits, network.workspace.indices(rowOfEach), into: each)
      draw(each, for: &begun)
      running += unfinished(begun, promptIDs)
      drawn += begun.count
    }
    return drawn
  }

  /// The samples of a unit whose prompt stands in `rows`.
  private mutating func begin(_ unit: Unit, number: Int, rows: PagedRows) -> [Running] {
    prompts[number] = SharedPrompt(rows: rows, users: unit.samples.count)
    return unit.samples.map { sample in
      Running(
        prompt: unit.prompt, sample: sample, unit: number,
        stream: RandomStream(seed: options.seed, UInt64(unit.prompt), UInt64(sample)),
        rows: PagedRows(after: rows.spans),
        stopSearch: tokenizer.flatMap { options.stop.isEmpty ? nil : StopSearch(options.stop, $0) })
    }
  }

  /// Advances every running completion by a token. Returns the tokens drawn.
  private mutating func advance(_ promptIDs: [[Int32]]) -> Int {
    guard !running.isEmpty else { return 0 }
    cache.startPass()
    batch.removeAll()
    for index in running.indices {
      let before = running[index].rows.spans
      let (row, _) = running[index].rows.extend(by: 1, in: cache)
      batch.append(CollectionOfOne(running[index].ids[running[index].ids.count - 1]), keyValueRow: row, after: before)
      recording?.add(row: index, ofSample: running[index].sample, ofPrompt: running[index].prompt)
    }
    let pass = endBatch()
    let logits = network.decoder.head.logits(network.decoder.hidden(pass), pass)
    recording?.store(logits, after: running.map { ($0.prompt, $0.sample) })
    draw(logits, for: &running)
    let drawn = running.count
    running = unfinished(running, promptIDs)
    return drawn
  }

  /// The pass of the batch, whole.
  private mutating func endBatch() -> Pass {
    batch.endTree()
    let pass = Pass(batch, parameters: network.parameters, workspace: network.workspace, cache: cache)
    pass.recording = recording?.takeRows()
    return pass
  }

  /// Draws a token for each completion from its row of logits.
  private func draw(_ logits: Matrix, for completions: inout [Running]) {
    let workspace = network.workspace
    let tokens = workspace.indices(completions.count)
    let logp = workspace.matrix(completions.count, 1)
    let u = completions.indices.map { completions[$0].stream.uniform() }
    if options.temperature == 0 {
      for row in completions.indices { tokens.start[row] = argmax(logits.rows(row..<row + 1)) }
      logp.start.update(repeating: 0, count: logp.count)
    } else {
      drawTokens(logits, filter, u: u, into: tokens, logp: logp)
    }
    if case .temperature(let temperature) = options.logprobs {
      logSoftmax(Rows(logits), temperature: temperature, targets: tokens, logp: logp, lse: nil, entropy: nil)
    }
    for row in completions.indices {
      let token = tokens.start[row]
      completions[row].ids.append(token)
      completions[row].logprobs.append(logp[row, 0])
      if !endOfSequence.contains(token) { completions[row].stopSearch?.append(token) }
    }
  }

  // MARK: Ends

  /// Those that have not ended; the results of the others are recorded.
  private mutating func unfinished(_ completions: [Running], _ promptIDs: [[Int32]]) -> [Running] {
    var left: [Running] = []
    for completion in completions where !retired(completion, promptLength: promptIDs[completion.prompt].count) {
      left.append(completion)
    }
    return left
  }

  /// Whether a completion has ended; then its result is recorded and its memory given back.
  private mutating func retired(_ completion: Running, promptLength: Int) -> Bool {
    guard let last = completion.ids.last else { return false }
    let atEnd = endOfSequence.contains(last)
    let stopped = atEnd || completion.stopSearch?.found != nil
    let full =
      completion.ids.count >= options.maxNewTokens
      || promptLength + completion.ids.count >= network.plan.context
    guard stopped || full else { return false }
    let spoken = atEnd ? completion.ids.dropLast() : completion.ids[...]
    results[completion.prompt][completion.sample] = Completion(
      text: completion.stopSearch?.found ?? tokenizer?.decode(spoken), ids: completion.ids,
      logprobs: completion.logprobs, finishReason: stopped ? .stop : .length)
    completion.rows.giveBack(to: cache)
    prompts[completion.unit]?.users -= 1
    if let prompt = prompts[completion.unit], prompt.users == 0 {
      prompt.rows.giveBack(to: cache)
      prompts[completion.unit] = nil
    }
    return true
  }
}
