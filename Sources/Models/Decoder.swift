import Kernels

/// A decoder-only language model as layers over a ``ParameterStore``: embedding, decoder layers, final norm, head.
package struct Decoder {
  /// [V, C].
  let embedding: Parameter
  let layers: [DecoderLayer]
  let norm: RMSNorm
  package let head: VocabularyHead
  /// What embeddings are multiplied by.
  var embeddingScale: Float = 1
  /// C, of the hidden states.
  var channels: Int { embedding.shape[1] }
  /// Whether the head's weights are the embedding's.
  package var isTied: Bool { head.weight.placement == embedding.placement }

  package struct Kept {
    let layers: [LayerKept]
    let norm: RMSNorm.Kept
    let tokens: Indices
  }

  enum LayerKept {
    case activations(DecoderLayer.Kept)
    /// [T, C], from which they are computed again, and as much to work in.
    case input(Matrix, normed: Matrix)
    /// What other passes computed.
    case recalled(Recollection)
  }

  /// Hidden states [T, C] after the final norm, and what ``backward(_:_:_:)`` needs.
  package func forward(_ pass: Pass, recomputes: Bool = false) -> (hidden: Matrix, kept: Kept) {
    let (tokens, start) = embed(pass)
    var (x, kept) = (start, [LayerKept]())
    let normed = pass.workspace.matrix(x.rows, x.columns)
    for layer in layers {
      let y = pass.workspace.matrix(x.rows, x.columns)
      let mark = pass.workspace.mark
      let layerKept = layer.forward(x, normed: normed, into: y, pass)
      kept.append(recomputes ? .input(x, normed: normed) : .activations(layerKept))
      if recomputes { pass.workspace.release(to: mark) }
      x = y
    }
    let (hidden, normKept) = norm.forward(x, pass)
    return (hidden, Kept(layers: kept, norm: normKept, tokens: tokens))
  }

  /// The same of rows that other passes have computed.
  func forward(_ pass: Pass, recalling recalled: Recollection) -> (hidden: Matrix, kept: Kept) {
    let tokens = pass.workspace.indices(pass.batch.tokens)
    for (index, layer) in layers.enumerated() where pass.routers != nil {
      guard let sparse = layer.body.sparse else { continue }
      let mark = pass.workspace.mark
      var rows = recalled.rows(ofLayer: index, pass)
      sparse.recordRouting(of: &rows, pass)
      pass.workspace.release(to: mark)
    }
    let (hidden, normKept) = norm.forward(recalled.last(pass), pass)
    return (hidden, Kept(layers: layers.map { _ in .recalled(recalled) }, norm: normKept, tokens: tokens))
  }

  /// The same hidden states, keeping nothing but what the pass records: memory for one layer at a time.
  package func hidden(_ pass: Pass) -> Matrix {
    var (_, x) = embed(pass)
    var y = pass.workspace.matrix(x.rows, x.columns)
    let normed = pass.workspace.matrix(x.rows, x.columns)
    for (index, layer) in layers.enumerated() {
      let mark = pass.workspace.mark
      let kept = layer.forward(x, normed: normed, into: y, pass)
      if let recording = pass.recording { recording.store(layer.rows(kept, pass), layer: index) }
      pass.workspace.release(to: mark)
      swap(&x, &y)
    }
    pass.recording?.store(last: x)
    return norm.forward(x, pass).y
  }

  /// Adds every parameter's gradient, given that of the hidden states, dhidden[T, C], which is overwritten.
  package func backward(_ dhidden: Matrix, _ kept: Kept, _ pass: Pass) {
    let workspace = pass.workspace
    let d = workspace.matrix(dhidden.rows, dhidden.columns)
    norm.backward(dhidden, kept.norm, into: d, accumulate: false, pass)
    // What the routers do is recorded once.
    pass.routers = nil
    for (index, layer) in layers.enumerated().reversed() {
      let mark = workspace.mark
      switch kept.layers[index] {
      case .activations(let activations): layer.backward(d, activations, pass)
      case .input(let x, let normed): layer.backward(d, layer.keep(x, normed: normed, pass), pass)
      case .recalled(let recalled):
        pass.parameters.takeBack(fromLayer: index)
        layer.backward(d, recalling: recalled.rows(ofLayer: index, pass), pass)
      }
      workspace.release(to: mark)
    }
    if embeddingScale != 1 { scale(d, by: embeddingScale, into: d) }
    embeddingGradient(d, kept.tokens, addingTo: pass.parameters.weightGradient(embedding))
  }

  private func embed(_ pass: Pass) -> (Indices, Matrix) {
    let tokens = pass.workspace.indices(pass.batch.tokens)
    let x = pass.workspace.matrix(tokens.count, embedding.shape[1])
    Kernels.embedding(pass.parameters.weights(embedding), tokens, into: x)
    if embeddingScale != 1 { scale(x, by: embeddingScale, into: x) }
    return (tokens, x)
  }
}
