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
  /// Completions that run at once, where the cache's bound allows it.
  private static let maximumRunning = 64
  /// Bytes that the keys and values of running completions may come to.
  private static let maximumCacheBytes = 4 << 30
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

  private var running: [Running] = []
  private var prompts: [Int: SharedPrompt] = [:]
  private var results: [[Completion?]] = []

  init(network: Network, tokenizer: Tokenizer?, endOfSequence: Set<Int32>, options: GenerationOptions) {
    self.network = network
    self.tokenizer = tokenizer
    self.endOfSequence = endOfSequence
    self.options = options
    filter = TokenFilter(
      temperature: options.temperature, top_k: Int32(options.topK), top_p: options.topP, min_p: options.minP)
    cache = KeyValueCache(layers: network.layers, width: network.plan.keyValueWidth)
    let bytes = network.cacheBytesPerToken * min(options.maxNewTokens, network.plan.context)
    lanes = max(1, min(Self.maximumRunning, Self.maximumCacheBytes / max(bytes, 1)))
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
    let promptSpans: [Span]
    var stream: RandomStream
    var rows = PagedRows()
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
    return results.map { $0.compactMap { $0 } }
  }

  // MARK: Passes

  /// Computes the prompts of some units, in passes of a bounded number of tokens, and draws the first token of each
  /// sample. Returns the tokens drawn.
  private mutating func start(_ units: [(number: Int, unit: Unit)], _ promptIDs: [[Int32]]) -> Int {
    var drawn = 0
    var (index, position) = (0, 0)
    var rows = PagedRows()
    while index < units.count {
      network.workspace.reset()
      var batch = TokenBatch()
      // The units whose prompts end in this pass, and the rows where they do.
      var ended: [(index: Int, rows: PagedRows)] = []
      var lastRows: [Int32] = []
      while index < units.count, batch.count < Self.maximumPrefill {
        let ids = promptIDs[units[index].unit.prompt]
        let before = rows.spans
        let (row, count) = rows.extend(by: ids.count - position, in: cache)
        batch.append(ids[position..<position + count], keyValueRow: row, after: before)
        position += count
        if position == ids.count {
          ended.append((index, rows))
          lastRows.append(Int32(batch.count - 1))
          (index, position, rows) = (index + 1, 0, PagedRows())
        }
      }
      batch.endTree()
      let pass = Pass(batch, parameters: network.parameters, workspace: network.workspace, cache: cache)
      let hidden = network.decoder.hidden(pass)
      let last = network.workspace.matrix(ended.count, hidden.columns)
      gatherRows(hidden, network.workspace.indices(lastRows), into: last)
      let logits = network.decoder.head.logits(last, pass)
      for (row, end) in ended.enumerated() {
        let (number, unit) = units[end.index]
        drawn += begin(unit, number: number, rows: end.rows, promptIDs, logits.rows(row..<row + 1))
      }
    }
    return drawn
  }

  /// Draws the first token of each sample of a unit from logits[1, V].
  private mutating func begin(
    _ unit: Unit, number: Int, rows: PagedRows, _ promptIDs: [[Int32]], _ logits: Matrix
  ) -> Int {
    prompts[number] = SharedPrompt(rows: rows, users: unit.samples.count)
    for sample in unit.samples {
      var completion = Running(
        prompt: unit.prompt, sample: sample, unit: number, promptSpans: rows.spans,
        stream: RandomStream(seed: options.seed, UInt64(unit.prompt), UInt64(sample)),
        stopSearch: tokenizer.flatMap { options.stop.isEmpty ? nil : StopSearch(options.stop, $0) })
      draw(logits, for: &completion)
      if !retired(completion, promptLength: promptIDs[unit.prompt].count) { running.append(completion) }
    }
    return unit.samples.count
  }

  /// Advances every running completion by a token. Returns the tokens drawn.
  private mutating func advance(_ promptIDs: [[Int32]]) -> Int {
    guard !running.isEmpty else { return 0 }
    network.workspace.reset()
    var batch = TokenBatch()
    for index in running.indices {
      let before = running[index].promptSpans + running[index].rows.spans
      let (row, _) = running[index].rows.extend(by: 1, in: cache)
      batch.append(CollectionOfOne(running[index].ids[running[index].ids.count - 1]), keyValueRow: row, after: before)
    }
    batch.endTree()
    let pass = Pass(batch, parameters: network.parameters, workspace: network.workspace, cache: cache)
    let logits = network.decoder.head.logits(network.decoder.hidden(pass), pass)
    for index in running.indices { draw(logits.rows(index..<index + 1), for: &running[index]) }
    let drawn = running.count
    var left: [Running] = []
    for completion in running where !retired(completion, promptLength: promptIDs[completion.prompt].count) {
      left.append(completion)
    }
    running = left
    return drawn
  }

  /// Draws one token from logits[1, V].
  private func draw(_ logits: Matrix, for completion: inout Running) {
    let workspace = network.workspace
    let mark = workspace.mark
    defer { workspace.release(to: mark) }
    var (token, samplingLogp) = (Int32(0), Float(0))
    let u = completion.stream.uniform()
    if options.temperature == 0 {
      token = argmax(logits)
    } else {
      (token, samplingLogp) = drawToken(logits, filter, u: u, scratch: workspace.matrix(2, logits.columns))
    }
    completion.ids.append(token)
    switch options.logprobs {
    case .sampling: completion.logprobs.append(samplingLogp)
    case .temperature(let temperature):
      let logp = workspace.matrix(1, 1)
      let target = workspace.indices([token])
      logSoftmax(logits, temperature: temperature, targets: target, logp: logp, lse: nil, entropy: nil)
      completion.logprobs.append(logp[0, 0])
    }
    if !endOfSequence.contains(token) { completion.stopSearch?.append(token) }
  }

  // MARK: Ends

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
