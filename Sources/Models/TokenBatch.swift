import Kernels

/// The tokens of one forward pass, packed without padding, and what each of them attends to.
///
/// A row is a token. Consecutive tokens of one sequence form a segment; a segment attends to the spans of key-value
/// rows that stand before it (a shared prompt, what a cache holds) and causally to itself. In training the
/// key-value rows are the rows of the batch; in sampling they are rows of a ``KeyValueCache``.
package struct TokenBatch {
  package private(set) var tokens: [Int32] = []
  package private(set) var positions: [Int32] = []
  /// One more than the largest position.
  package private(set) var positionCount = 0
  package private(set) var segments: [Segment] = []
  package private(set) var spans: [Span] = []
  /// Segments trees[i] ..< trees[i + 1] share key-value rows with each other and with no other tree.
  package private(set) var trees: [Int32] = [0]
  /// Of the trees that training lays out.
  package private(set) var sequences: [SequenceSegments] = []

  package init() {}

  package var count: Int { tokens.count }

  package mutating func removeAll() {
    tokens.removeAll(keepingCapacity: true)
    positions.removeAll(keepingCapacity: true)
    positionCount = 0
    segments.removeAll(keepingCapacity: true)
    spans.removeAll(keepingCapacity: true)
    trees.removeAll(keepingCapacity: true)
    trees.append(0)
    sequences.removeAll(keepingCapacity: true)
  }

  /// Adds a segment whose first token has position Σ rows of `before`; its keys and values are rows `keyValueRow`
  /// and on. Returns its first row.
  @discardableResult
  package mutating func append(
    _ ids: some Collection<Int32>, keyValueRow: Int? = nil, after before: some Collection<Span> = []
  ) -> Int {
    let row = tokens.count
    let first = before.reduce(0) { $0 + $1.rows }
    segments.append(
      Segment(
        row: Int32(row), rows: Int32(ids.count), kv: Int32(keyValueRow ?? row), span: Int32(spans.count),
        spans: Int32(before.count)))
    spans.append(contentsOf: before)
    tokens.append(contentsOf: ids)
    for offset in 0..<Int32(ids.count) { positions.append(first + offset) }
    positionCount = max(positionCount, Int(first) + ids.count)
    return row
  }

  /// Ends a tree: the segments since the last end share key-value rows.
  package mutating func endTree() {
    trees.append(Int32(segments.count))
  }
}

/// The segments of one sequence of a tree.
package struct SequenceSegments {
  package let prompt: Int
  /// Nil for a completion of one token, which is only predicted.
  package let own: Int?
}

/// Sequences with a common beginning: the prompt once, then each continuation of it. What training runs over.
package struct SequenceTree {
  package let prompt: [Int32]
  package let branches: [[Int32]]

  package init(prompt: [Int32], branches: [[Int32]]) {
    self.prompt = prompt
    self.branches = branches
  }

  /// Rows of a forward pass that scores every branch: a branch's last token is predicted, never read.
  package var rows: Int { branches.reduce(prompt.count) { $0 + max($1.count - 1, 0) } }

  /// The same branches in order, on trees of at most `limit` rows where one branch does not already take more.
  package func pieces(ofRows limit: Int) -> [SequenceTree] {
    var pieces: [SequenceTree] = []
    var (taken, rows) = ([[Int32]](), prompt.count)
    for branch in branches {
      let more = max(branch.count - 1, 0)
      if !taken.isEmpty, rows + more > limit {
        pieces.append(SequenceTree(prompt: prompt, branches: taken))
        (taken, rows) = ([], prompt.count)
      }
      taken.append(branch)
      rows += more
    }
    return pieces + [SequenceTree(prompt: prompt, branches: taken)]
  }
}

/// Where the prediction of each completion token is read: hidden row and target id, branch after branch.
package struct Targets {
  package var rows: [Int32] = []
  package var tokens: [Int32] = []
  /// Whether the last token of each branch is read instead, and predicts nothing.
  package let areEnds: Bool
  package init(areEnds: Bool = false) { self.areEnds = areEnds }
}

extension TokenBatch {
  /// Lays out a tree and adds the predictions of its branches to `targets`.
  package mutating func append(_ tree: SequenceTree, predicting targets: inout Targets) {
    let prompt = segments.count
    let promptRow = append(tree.prompt)
    let prefix = [Span(row: Int32(promptRow), rows: Int32(tree.prompt.count))]
    for branch in tree.branches where !branch.isEmpty {
      let isRead = branch.count > 1 || targets.areEnds
      sequences.append(SequenceSegments(prompt: prompt, own: isRead ? segments.count : nil))
      if targets.areEnds {
        targets.rows.append(Int32(append(branch, after: prefix) + branch.count - 1))
        continue
      }
      targets.rows.append(Int32(promptRow + tree.prompt.count - 1))
      if branch.count > 1 {
        let row = append(branch.dropLast(), after: prefix)
        targets.rows += Int32(row)..<Int32(row + branch.count - 1)
      }
      targets.tokens += branch
    }
    endTree()
  }
}
