import Kernels

/// Hidden states to log-probabilities of tokens, in chunks of rows: the logits of at most one chunk are held. Those of the
/// last stay for the way back, which computes the others' again.
package struct VocabularyHead {
  /// [V, C]: lm_head, or the embedding where they are tied.
  let weight: Parameter
  /// What logits are multiplied by.
  var scale: Float = 1
  /// Logits x then become softcap · tanh(x / softcap) (Gemma 2, arXiv 2408.00118); 0: off.
  var softcap: Float = 0

  /// Rows whose logits are held at a time: fixed by the vocabulary, so that gradients are summed in one order.
  private var chunkRows: Int { min(max((16 << 20) / weight.shape[0], 16), 2048) }

  /// hidden[R, C] → logits[R, V].
  package func logits(_ hidden: Matrix, _ pass: Pass) -> Matrix {
    let logits = pass.workspace.matrix(hidden.rows, weight.shape[0])
    product(hidden, pass.parameters.weights(weight), into: logits)
    if scale != 1 { Kernels.scale(logits, by: scale, into: logits) }
    if softcap != 0 { softCap(logits, at: softcap) }
    return logits
  }

  /// The log-probabilities that softmax(logits / temperature) gives targets, and what their gradient needs.
  package struct Scores {
    /// [R, 1].
    package let logp: Matrix
    /// [R, 1]: entropy of the whole distribution, in nats.
    package let entropy: Matrix
    let lse: Matrix
    let rows: Indices
    let tokens: Indices
    let temperature: Float
    /// R rows of V logits, where they are kept.
    let kept: Rows?
    /// What the way back begins with.
    fileprivate var last: Chunk?
  }

  /// Some of the targets: their hidden states [r, C], and the logits [r, V] of these.
  fileprivate struct Chunk {
    let range: Range<Int>
    let hidden: Matrix
    let logits: Rows
  }

  /// - Parameters:
  ///   - hidden: [T, C], normed.
  ///   - targets: R pairs of a row of hidden and the token it should predict.
  ///   - kept: R rows of V logits that need not be computed.
  func score(_ hidden: Matrix, _ targets: Targets, temperature: Float, kept: Rows?, _ pass: Pass) -> Scores {
    let (workspace, count) = (pass.workspace, targets.rows.count)
    var scores = Scores(
      logp: workspace.matrix(count, 1), entropy: workspace.matrix(count, 1), lse: workspace.matrix(count, 1),
      rows: workspace.indices(targets.rows), tokens: workspace.indices(targets.tokens), temperature: temperature,
      kept: kept)
    let mark = workspace.mark
    for range in chunks(count) {
      workspace.release(to: mark)
      let chunk = chunk(range, hidden, scores, pass)
      logSoftmax(
        chunk.logits, temperature: temperature, targets: scores.tokens[range], logp: scores.logp.rows(range),
        lse: scores.lse.rows(range), entropy: scores.entropy.rows(range))
      scores.last = chunk
    }
    return scores
  }

  /// Adds the gradient of Σ dlogp · logp to dhidden[T, C] and to the weights; dlogp[R, 1]. Uses the scores up.
  package func backward(_ dlogp: Matrix, _ scores: Scores, hidden: Matrix, addingTo dhidden: Matrix, _ pass: Pass) {
    func addGradient(_ chunk: Chunk) {
      let (range, logits) = (chunk.range, chunk.logits)
      let capped = softcap == 0 ? nil : copied(logits, pass)
      // What is kept stays as it is.
      let dlogits = logits.index == nil ? logits.matrix : pass.workspace.matrix(logits.count, logits.matrix.columns)
      logSoftmaxGradient(
        logits, temperature: scores.temperature, targets: scores.tokens[range], lse: scores.lse.rows(range),
        dlogp: dlogp.rows(range), into: dlogits)
      if let capped { softCapGradient(capped, at: softcap, dlogits) }
      if scale != 1 { Kernels.scale(dlogits, by: scale, into: dlogits) }
      productWeightGradient(dlogits, chunk.hidden, addingTo: pass.parameters.weightGradient(weight))
      let drows = pass.workspace.matrix(chunk.hidden.rows, chunk.hidden.columns)
      productInputGradient(dlogits, pass.parameters.weights(weight), into: drows)
      scatterAddRows(drows, scores.rows[range], to: dhidden)
    }
    guard let last = scores.last else { return }
    let mark = pass.workspace.mark
    addGradient(last)
    for range in chunks(last.range.lowerBound) {
      pass.workspace.release(to: mark)
      addGradient(chunk(range, hidden, scores, pass))
    }
    pass.workspace.release(to: mark)
  }

  private func copied(_ x: Rows, _ pass: Pass) -> Matrix {
    let y = pass.workspace.matrix(x.count, x.matrix.columns)
    if let index = x.index {
      gatherRows(x.matrix, index, into: y)
    } else {
      y.start.update(from: x.matrix.start, count: y.count)
    }
    return y
  }

  private func chunks(_ count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: chunkRows).map { $0..<min($0 + chunkRows, count) }
  }

  private func chunk(_ range: Range<Int>, _ hidden: Matrix, _ scores: Scores, _ pass: Pass) -> Chunk {
    let rows = pass.workspace.matrix(range.count, hidden.columns)
    gatherRows(hidden, scores.rows[range], into: rows)
    let kept = scores.kept.map { Rows($0.matrix, $0.index?[range]) }
    return Chunk(range: range, hidden: rows, logits: kept ?? Rows(logits(rows, pass)))
  }
}
