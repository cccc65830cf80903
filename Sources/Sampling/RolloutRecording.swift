import Kernels
import Models

/// Which tokens of a rollout leave their activations for training: those of the first prompts and of their completions, of
/// as many as there is room for.
struct RolloutRecording {
  private let cache: ActivationCache
  private let prompts: [[Int32]]
  /// Slots of each prompt that is recorded, which are the first ones: its own, then those of its samples.
  private var slots: [[[Int32]]]
  /// Rows of the pass at hand.
  private var rows: [Run] = []

  private struct Run {
    let prompt: Int
    /// 0 is the prompt's own, 1 + s that of sample s.
    let line: Int
    let row: Int
    let count: Int
  }

  init(_ prompts: [[Int32]], samples: Int, to cache: ActivationCache) {
    (self.prompts, self.cache) = (prompts, cache)
    slots = prompts.map { _ in Array(repeating: [], count: 1 + samples) }
  }

  /// Rows of the pass at hand are tokens of a prompt, from number `position` on.
  mutating func add(row: Int, count: Int, ofPrompt prompt: Int, from position: Int) {
    guard prompt < slots.count else { return }
    // Its samples may be more than run at once; then it is computed for each lot of them.
    let known = rows.reduce(slots[prompt][0].count) { $0 + ($1.prompt == prompt && $1.line == 0 ? $1.count : 0) }
    let skipped = min(max(known - position, 0), count)
    rows.append(Run(prompt: prompt, line: 0, row: row + skipped, count: count - skipped))
  }

  /// A row of the pass at hand is the next token of a completion.
  mutating func add(row: Int, ofSample sample: Int, ofPrompt prompt: Int) {
    guard prompt < slots.count else { return }
    rows.append(Run(prompt: prompt, line: 1 + sample, row: row, count: 1))
  }

  /// Where the rows of the pass at hand go. Where there is no room for all, the last prompts give up theirs.
  mutating func takeRows() -> ActivationRecording {
    var taken = cache.take(rows.reduce(0) { $0 + $1.count })
    while taken == nil, let last = slots.popLast() {
      for line in last { cache.giveBack(line) }
      rows.removeAll { $0.prompt == slots.count }
      taken = cache.take(rows.reduce(0) { $0 + $1.count })
    }
    var moves = RowMoves()
    var left = (taken ?? [])[...]
    for run in rows {
      let own = left.prefix(run.count)
      left = left.dropFirst(run.count)
      for (offset, slot) in own.enumerated() { moves.append(run.row + offset, to: Int(slot)) }
      slots[run.prompt][run.line] += own
    }
    rows.removeAll(keepingCapacity: true)
    return ActivationRecording(moves, to: cache)
  }

  /// Logits of the pass at hand [R, V]: each row follows the last token that was read of a prompt, or of a sample of it.
  func store(_ logits: Matrix, after lines: [(prompt: Int, sample: Int?)]) {
    func moves() -> RowMoves {
      var moves = RowMoves()
      for (row, line) in lines.enumerated() where line.prompt < slots.count {
        guard let slot = slots[line.prompt][line.sample.map { 1 + $0 } ?? 0].last else { continue }
        moves.append(row, to: Int(slot))
      }
      return moves
    }
    cache.store(logits: logits, moves())
  }

  /// The rollout is done: says what has been recorded.
  func finish(_ completions: [[Completion]]) {
    for (prompt, lines) in slots.enumerated() {
      cache.name(lines[0], prompt: prompts[prompt])
      for (completion, slots) in zip(completions[prompt], lines.dropFirst()) where !slots.isEmpty {
        cache.name(slots, prompt: prompts[prompt], completion: completion.ids.dropLast())
      }
    }
  }
}
