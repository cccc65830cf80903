import Models

extension Network {
  /// log π of every branch of some trees: [tree][branch][token].
  func logProbabilities(
    _ trees: [SequenceTree], temperature: Float, microBatchTokens: Int, checkInterrupt: () throws -> Void
  ) throws -> [[[Float]]] {
    try outputs(
      trees, reading: .tokens, temperature: temperature, microBatchTokens: microBatchTokens,
      checkInterrupt: checkInterrupt
    ).map(\.logp)
  }

  /// What the model says of every branch of some trees, in passes of at most `microBatchTokens` rows where a branch with
  /// its prompt does not take more.
  func outputs(
    _ trees: [SequenceTree], reading: Reading, temperature: Float = 1, microBatchTokens: Int,
    checkInterrupt: () throws -> Void
  ) throws -> [UpdatePass.Outputs] {
    let pieces = trees.enumerated().flatMap { index, tree in
      tree.pieces(ofRows: microBatchTokens).map { (index, $0) }
    }
    var outputs = trees.map { _ in UpdatePass.Outputs(logp: [], values: []) }
    var first = 0
    while first < pieces.count {
      var (end, rows) = (first + 1, pieces[first].1.rows)
      while end < pieces.count, rows + pieces[end].1.rows <= microBatchTokens {
        rows += pieces[end].1.rows
        end += 1
      }
      try checkInterrupt()
      let scored = logProbabilities(pieces[first..<end].map(\.1), reading: reading, temperature: temperature)
      for (index, piece) in pieces[first..<end].enumerated() {
        outputs[piece.0].logp += scored.logp[index]
        outputs[piece.0].values += scored.values[index]
      }
      first = end
    }
    return outputs
  }
}
