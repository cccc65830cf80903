import Kernels

/// Hidden states to log-probabilities of tokens, in chunks of rows: the logits of all positions are never held at
/// once.
package struct VocabularyHead {
  /// [V, C]: lm_head, or the embedding where they are tied.
  let weight: Parameter
  /// What logits are multiplied by.
  var scale: Float = 1
  /// Logits x then become softcap · tanh(x / softcap) (Gemma 2, arXiv 2408.00118); 0: off.
  var softcap: Float = 0

  /// Rows whose logits are held at a time: fixed by the vocabulary, so that gradients are summed in one order.
  private var chunkRows: Int { min(max((16 << 20) / weight.shape[0], 16), 1024) }

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
  }

  /// - Parameters:
  ///   - hidden: [T, C], normed.
  ///   - targets: R pairs of a row of hidden and the token it should predict.
  package func score(_ hidden: Matrix, _ targets: Targets, temperature: Float, _ pass: Pass) -> Scores {
    let (workspace, count) = (pass.workspace, targets.rows.count)
    let scores = Scores(
      logp: workspace.matrix(count, 1), entropy: workspace.matrix(count, 1), lse: workspace.matrix(count, 1),
      rows: workspace.indices(targets.rows), tokens: workspace.indices(targets.tokens), temperature: temperature)
    forEachChunk(hidden, scores, pass) { range, _, logits in
      logSoftmax(
        logits, temperature: temperature, targets: scores.tokens[range], logp: scores.logp.rows(range),
        lse: scores.lse.rows(range), entropy: scores.entropy.rows(range))
    }
    return scores
  }

  /// Adds the gradient of Σ dlogp · logp to dhidden[T, C] and to the weights; dlogp[R, 1].
  package func backward(_ dlogp: Matrix, _ scores: Scores, hidden: Matrix, addingTo dhidden: Matrix, _ pass: Pass) {
    forEachChunk(hidden, scores, pass) { range, rows, logits in
      let capped = softcap == 0 ? nil : copied(logits, pass)
      logSoftmaxGradient(
        logits, temperature: scores.temperature, targets: scores.tokens[range], lse: scores.lse.rows(range),
        dlogp: dlogp.rows(range))
      if let capped { softCapGradient(capped, at: softcap, logits) }
      if scale != 1 { Kernels.scale(logits, by: scale, into: logits) }
      productWeightGradient(logits, rows, addingTo: pass.parameters.weightGradient(weight))
      let drows = pass.workspace.matrix(rows.rows, rows.columns)
      productInputGradient(logits, pass.parameters.weights(weight), into: drows)
      scatterAddRows(drows, scores.rows[range], to: dhidden)
    }
  }

  private func copied(_ x: Matrix, _ pass: Pass) -> Matrix {
    let y = pass.workspace.matrix(x.rows, x.columns)
    y.start.update(from: x.start, count: x.count)
    return y
  }

  private func forEachChunk(
    _ hidden: Matrix, _ scores: Scores, _ pass: Pass, _ body: (Range<Int>, _ rows: Matrix, _ logits: Matrix) -> Void
  ) {
    let count = scores.rows.count
    for start in stride(from: 0, to: count, by: chunkRows) {
      let range = start..<min(start + chunkRows, count)
      let mark = pass.workspace.mark
      let rows = pass.workspace.matrix(range.count, hidden.columns)
      gatherRows(hidden, scores.rows[range], into: rows)
      body(range, rows, logits(rows, pass))
      pass.workspace.release(to: mark)
    }
  }
}
