import CKernels

// The vocabulary of operations: what a model says to the machine. Shapes and orders of summation are specified in
// CKernels.h; each function here only passes shapes and pointers on, so that the layers read as mathematics.

/// A run of consecutive tokens of one sequence, and the spans of key-value rows that stand before it.
package typealias Segment = gk_segment
/// Consecutive key-value rows.
package typealias Span = gk_span

/// What makes y[T, N] = x · wᵀ + bias of rows x[T, C].
package struct Factor {
  package let w: PackedWeights
  /// [1, N], or [E, N] where w are experts'.
  package var bias: Matrix?
  package let y: Matrix

  package init(_ w: PackedWeights, bias: Matrix? = nil, into y: Matrix) {
    self.w = w
    self.bias = bias
    self.y = y
  }

  fileprivate var single: gk_factor? {
    guard case .float32(let start) = w.elements else { return nil }
    return gk_factor(w: start, bias: bias?.start, y: y.start, n: w.outputs)
  }

  fileprivate var half: gk_bfloat16_factor? {
    guard case .bfloat16(let start) = w.elements else { return nil }
    return gk_bfloat16_factor(w: start, bias: bias?.start, y: y.start, n: w.outputs)
  }
}

/// y[T, N] = x[T, C] · wᵀ + bias.
package func product(_ x: Matrix, _ w: PackedWeights, bias: Matrix? = nil, into y: Matrix) {
  product(x, [Factor(w, bias: bias, into: y)])
}

/// y of each factor, of the same x, together.
package func product(_ x: Matrix, _ factors: [Factor]) {
  let (single, half) = (factors.compactMap(\.single), factors.compactMap(\.half))
  gk_product(x.start, single, single.count, x.rows, x.columns)
  gk_bfloat16_product(x.start, half, half.count, x.rows, x.columns)
}

/// dx[T, C] = dy[T, N] · w, or added to dx.
package func productInputGradient(_ dy: Matrix, _ w: PackedWeights, into dx: Matrix, accumulate: Bool = false) {
  switch w.elements {
  case .float32(let start):
    gk_product_input_gradient(dy.start, start, dx.start, dy.rows, w.outputs, w.inputs, accumulate)
  case .bfloat16(let start):
    gk_bfloat16_product_input_gradient(dy.start, start, dx.start, dy.rows, w.outputs, w.inputs, accumulate)
  }
}

/// dw += dyᵀ · x.
package func productWeightGradient(_ dy: Matrix, _ x: Matrix, addingTo dw: PackedGradient) {
  switch dw.computeType {
  case .float32: gk_product_weight_gradient(dy.start, x.start, dw.start, x.rows, dw.outputs, dw.inputs)
  case .bfloat16: gk_bfloat16_product_weight_gradient(dy.start, x.start, dw.start, x.rows, dw.outputs, dw.inputs)
  }
}

/// db[1, N] += column sums of dy.
package func biasGradient(_ dy: Matrix, addingTo db: Matrix) {
  gk_bias_gradient(dy.start, db.start, dy.rows, dy.columns)
}

/// y = x · w[e]ᵀ + bias[e] for the rows of each expert e; bias[E, N], offsets[E + 1].
package func groupedProduct(
  _ x: Matrix, _ w: PackedWeights, bias: Matrix? = nil, offsets: Indices, into y: Matrix
) {
  groupedProduct(Rows(x), [Factor(w, bias: bias, into: y)], offsets: offsets)
}

/// y of each factor, of the same x, together.
package func groupedProduct(_ x: Rows, _ factors: [Factor], offsets: Indices) {
  let (single, half, experts) = (factors.compactMap(\.single), factors.compactMap(\.half), offsets.count - 1)
  let (start, index, columns) = (x.matrix.start, x.index?.start, x.matrix.columns)
  gk_grouped_product(start, index, single, single.count, offsets.start, experts, columns)
  gk_bfloat16_grouped_product(start, index, half, half.count, offsets.start, experts, columns)
}

package func groupedProductInputGradient(
  _ dy: Rows, _ w: PackedWeights, offsets: Indices, into dx: Matrix, accumulate: Bool = false
) {
  switch w.elements {
  case .float32(let start):
    gk_grouped_product_input_gradient(
      dy.matrix.start, dy.index?.start, start, dx.start, offsets.start, w.experts, w.outputs, w.inputs, accumulate)
  case .bfloat16(let start):
    gk_bfloat16_grouped_product_input_gradient(
      dy.matrix.start, dy.index?.start, start, dx.start, offsets.start, w.experts, w.outputs, w.inputs, accumulate)
  }
}

package func groupedProductWeightGradient(
  _ dy: Rows, _ x: Rows, offsets: Indices, addingTo dw: PackedGradient
) {
  switch dw.computeType {
  case .float32:
    gk_grouped_product_weight_gradient(
      dy.matrix.start, dy.index?.start, x.matrix.start, x.index?.start, dw.start, offsets.start, dw.experts, dw.outputs,
      dw.inputs)
  case .bfloat16:
    gk_bfloat16_grouped_product_weight_gradient(
      dy.matrix.start, dy.index?.start, x.matrix.start, x.index?.start, dw.start, offsets.start, dw.experts, dw.outputs,
      dw.inputs)
  }
}

/// db[E, N] += column sums of each expert's rows of dy.
package func groupedBiasGradient(_ dy: Matrix, offsets: Indices, addingTo db: Matrix) {
  gk_grouped_bias_gradient(dy.start, db.start, offsets.start, db.rows, db.columns)
}

/// y += alpha · x.
package func add(_ x: Matrix, times alpha: Float = 1, to y: Matrix) {
  gk_add(x.start, alpha, y.start, x.count)
}

/// y = alpha · x; y may be x.
package func scale(_ x: Matrix, by alpha: Float, into y: Matrix) {
  gk_scale(x.start, alpha, y.start, x.count)
}

/// y = 0.
package func clear(_ y: Matrix) {
  gk_clear(y.start, y.count)
}

/// y[r] = x[index[r]].
package func gatherRows(_ x: Matrix, _ index: Indices, into y: Matrix) {
  gk_gather_rows(x.start, index.start, y.start, index.count, x.columns)
}

/// Rows [kv, kv + rows) of y = rows [row, row + rows) of x, of every segment and pair of matrices.
/// - Parameter isFar: whether y is not read again soon, and should take no place in the caches.
package func placeRows(_ matrices: [(x: TokenRows, y: Matrix)], of segments: [Segment], isFar: Bool = false) {
  let placings = matrices.map { x, y in
    gk_placing(x: x.matrix.start, y: y.start, c: x.matrix.columns, index: x.index?.start, parts: x.parts)
  }
  gk_place_rows(placings, placings.count, segments, segments.count, isFar)
}

/// y[index[r]] += x[r], r ascending.
package func scatterAddRows(_ x: Matrix, _ index: Indices, to y: Matrix) {
  gk_scatter_add_rows(x.start, index.start, y.start, index.count, x.columns)
}

/// y = x, of the same tokens, heads and channels.
package func copy(_ x: Heads, into y: Heads) {
  gk_copy_heads(x.start, x.strides, y.start, y.strides, x.tokens, x.heads, x.channels)
}

/// Rows `tokens` of the packed table w[V, C].
package func embedding(_ w: PackedWeights, _ tokens: Indices, into y: Matrix) {
  switch w.elements {
  case .float32(let start): gk_embedding(start, tokens.start, y.start, tokens.count, w.inputs)
  case .bfloat16(let start): gk_bfloat16_embedding(start, tokens.start, y.start, tokens.count, w.inputs)
  }
}

package func embeddingGradient(_ dy: Matrix, _ tokens: Indices, addingTo dw: PackedGradient) {
  gk_embedding_gradient(dy.start, tokens.start, dw.start, tokens.count, dw.inputs)
}

/// Root-mean-square norm of each row, scaled by offset + w[1, C]; rstd[T, 1] is kept for the gradient.
package func rmsNorm(_ x: Matrix, _ w: Matrix, offset: Float = 0, epsilon: Float, into y: Matrix, rstd: Matrix?) {
  gk_rms_norm(x.start, w.start, offset, epsilon, y.start, rstd?.start, x.rows, x.columns)
}

package func rmsNormGradient(
  _ dy: Matrix, _ x: Matrix, _ w: Matrix, offset: Float = 0, rstd: Matrix, into dx: Matrix, addingTo dw: Matrix,
  accumulate: Bool
) {
  gk_rms_norm_gradient(
    dy.start, x.start, w.start, offset, rstd.start, dx.start, dw.start, x.rows, x.columns, accumulate)
}

/// Turns channels `offset` ..< `offset` + 2 · the tables' columns of each head of x[T, heads · headSize] in place, by
/// the tables' rows `positions`; in pairs of neighbours where interleaved, else of halves. `transposed` is the gradient.
///
/// - Parameter headSize: 2 · the tables' columns, where nil.
package func rotate(
  _ x: Matrix, positions: Indices, cosine: Matrix, sine: Matrix, headSize: Int? = nil, offset: Int = 0,
  interleaved: Bool = false, transposed: Bool = false
) {
  let turned = 2 * cosine.columns
  let headSize = headSize ?? turned
  var rotation = gk_rotation(
    heads: x.columns / headSize, head_stride: headSize, row_stride: x.columns, turned: turned,
    interleaved: interleaved)
  gk_rope(&rotation, x.start + offset, positions.start, cosine.start, sine.start, x.rows, transposed)
}

/// What a gated linear unit makes of its gate; CKernels.h has the equations.
package enum Activation: Equatable {
  case silu
  /// The tanh form.
  case gelu
  /// gpt-oss: gate and up clamped at `limit`, silu(alpha · gate) / alpha · (up + 1).
  case clamped(alpha: Float, limit: Float)

  fileprivate var constants: gk_activation {
    switch self {
    case .silu: gk_activation(unit: GK_SILU, alpha: 0, limit: 0)
    case .gelu: gk_activation(unit: GK_GELU, alpha: 0, limit: 0)
    case .clamped(let alpha, let limit): gk_activation(unit: GK_CLAMPED, alpha: alpha, limit: limit)
    }
  }
}

/// h = a(gate) · up: a gated linear unit.
package func glu(_ gate: Matrix, _ up: Matrix, _ activation: Activation = .silu, into h: Matrix) {
  var activation = activation.constants
  gk_glu(&activation, gate.start, up.start, h.start, h.count)
}

/// Writes dgate and dup, which may be gate and up.
package func gluGradient(
  _ dh: Matrix, _ gate: Matrix, _ up: Matrix, _ activation: Activation = .silu, dgate: Matrix, dup: Matrix
) {
  var activation = activation.constants
  gk_glu_gradient(&activation, dh.start, gate.start, up.start, dgate.start, dup.start, dh.count)
}

/// y[t] = sigmoid(gate[t, 0]) · x[t]; y may be x.
package func gateRows(_ x: Matrix, _ gate: Matrix, into y: Matrix) {
  gk_gate_rows(x.start, gate.start, y.start, x.rows, x.columns)
}

/// The gradients of x[T, C] and gate[T, 1]; dx may be x.
package func gateRowsGradient(_ dy: Matrix, _ x: Matrix, _ gate: Matrix, dx: Matrix, dgate: Matrix) {
  gk_gate_rows_gradient(dy.start, x.start, gate.start, dx.start, dgate.start, x.rows, x.columns)
}

/// How the queries of grouped-query attention attend.
package struct HeadShape {
  package let queries: Int
  package let keyValues: Int
  /// Channels of a head of q and k.
  package let size: Int
  /// Channels of a head of v and of the output.
  package let valueSize: Int
  /// Of the scores q · k.
  package let scale: Float
  /// A score s becomes softcap · tanh(s / softcap); 0: off.
  package let softcap: Float
  /// A query sees the last `window` positions, its own included; 0: all.
  package var window: Int

  /// - Parameter valueSize: `size`, where nil.
  package init(
    queries: Int, keyValues: Int, size: Int, valueSize: Int? = nil, scale: Float, softcap: Float = 0, window: Int = 0
  ) {
    self.queries = queries
    self.keyValues = keyValues
    self.size = size
    self.valueSize = valueSize ?? size
    self.scale = scale
    self.softcap = softcap
    self.window = window
  }

  /// v's columns may be more than its heads take: they then lie at the start of its rows.
  fileprivate func shape(_ v: Matrix) -> gk_attention_shape {
    gk_attention_shape(
      h: queries, g: keyValues, d: size, u: valueSize, v_stride: v.columns, scale: scale, softcap: softcap,
      window: window)
  }
}

/// Causal attention of the queries of `segments` over k, v; lse[T, H] is kept for the gradient. sinks[1, H] are logits
/// that join each query's softmax with a value of 0. v may be k: its rows then begin with the values.
package func attention(
  _ q: Matrix, _ k: Matrix, _ v: Matrix, sinks: Matrix? = nil, heads: HeadShape, segments: [Segment], spans: [Span],
  into out: Matrix, lse: Matrix?
) {
  var shape = heads.shape(v)
  gk_attention(
    &shape, q.start, k.start, v.start, sinks?.start, out.start, lse?.start, segments, segments.count, spans)
}

/// dq, dk, dv start at 0, dv is dk where v is k; dsinks is added to; trees[i] ..< trees[i + 1] are the segments of tree
/// i.
package func attentionGradient(
  _ dout: Matrix, _ q: Matrix, _ k: Matrix, _ v: Matrix, sinks: Matrix? = nil, out: Matrix, lse: Matrix,
  heads: HeadShape, segments: [Segment], spans: [Span], trees: [Int32], dq: Matrix, dk: Matrix, dv: Matrix,
  dsinks: Matrix? = nil
) {
  var shape = heads.shape(v)
  gk_attention_gradient(
    &shape, dout.start, q.start, k.start, v.start, sinks?.start, out.start, lse.start, dq.start, dk.start, dv.start,
    dsinks?.start, segments, spans, trees, trees.count - 1)
}

/// How K of E experts are chosen, and what they weigh.
package struct RoutingRule {
  /// What turns logits into scores.
  package enum Scoring { case softmax, sigmoid }

  /// K.
  package let perToken: Int
  package var scoring = Scoring.softmax
  /// Groups of experts, of equal size.
  package var groups = 1
  /// Groups whose experts may be chosen: the best ones.
  package var groupsKept = 1
  /// Whether a group is as good as the sum of its two best experts; otherwise as its best.
  package var groupsByTwo = false
  /// Whether the chosen scores are divided by their sum + epsilon.
  package var normalize = false
  package var epsilon: Float = 0
  /// What the weights are multiplied by, at last.
  package var scale: Float = 1

  package init(
    perToken: Int, scoring: Scoring = .softmax, groups: Int = 1, groupsKept: Int = 1, groupsByTwo: Bool = false,
    normalize: Bool = false, epsilon: Float = 0, scale: Float = 1
  ) {
    self.perToken = perToken
    self.scoring = scoring
    self.groups = groups
    self.groupsKept = groupsKept
    self.groupsByTwo = groupsByTwo
    self.normalize = normalize
    self.epsilon = epsilon
    self.scale = scale
  }

  func routing(experts: Int) -> gk_routing {
    gk_routing(
      e: experts, k: perToken, scoring: scoring == .softmax ? GK_SOFTMAX : GK_SIGMOID, groups: groups,
      groups_kept: groupsKept, by_two: groupsByTwo, normalize: normalize, epsilon: epsilon, scale: scale)
  }
}

/// What routing decided for T tokens over E experts, K each.
package struct Routing {
  /// [T, E], softmax or sigmoid of the router's logits.
  package let scores: Matrix
  /// [T, K], ascending expert index.
  package let experts: Indices
  /// [T, K].
  package let weights: Matrix
  /// [E + 1]: the sorted rows of each expert.
  package let offsets: Indices
  /// [T · K]: the token of each sorted row.
  package let token: Indices
  /// [T, K]: the sorted row of each choice.
  package let slot: Indices
}

/// Chooses the K best experts of each token by score, plus correction[1, E], and sorts the choices by expert.
package func route(
  _ logits: Matrix, _ rule: RoutingRule, correction: Matrix? = nil, in workspace: Workspace
) -> Routing {
  let (t, e, k) = (logits.rows, logits.columns, rule.perToken)
  let routing = Routing(
    scores: workspace.matrix(t, e), experts: workspace.indices(t * k), weights: workspace.matrix(t, k),
    offsets: workspace.indices(e + 1), token: workspace.indices(t * k), slot: workspace.indices(t * k))
  var rule = rule.routing(experts: e)
  gk_route(
    &rule, logits.start, correction?.start, routing.scores.start, routing.experts.start, routing.weights.start, t)
  gk_sort_by_expert(
    routing.experts.start, routing.offsets.start, routing.token.start, routing.slot.start, t, e, k)
  return routing
}

/// dlogits[T, E] from dweights[T, K].
package func routeGradient(_ dweights: Matrix, _ routing: Routing, _ rule: RoutingRule, into dlogits: Matrix) {
  var rule = rule.routing(experts: dlogits.columns)
  gk_route_gradient(
    &rule, dweights.start, routing.scores.start, routing.experts.start, routing.weights.start, dlogits.start,
    dlogits.rows)
}

/// y[t] = Σ over the choices of t of weight · x[sorted row], experts ascending.
package func combine(_ x: Matrix, _ routing: Routing, into y: Matrix) {
  gk_combine(
    x.start, routing.slot.start, routing.weights.start, y.start, y.rows, routing.weights.columns, y.columns)
}

/// The gradients of gated units whose sorted rows h, through a product, are combined by the routing's weights: dh, the
/// gradient without the weights, becomes weight · h, which the product's weight gradient takes. Writes dweights[T, K].
/// - Parameters:
///   - rows: of gate and up, for each token's choices [T · K].
///   - dgate: sorted rows, as dup; these may be gate and up where those are sorted as well.
package func weightedGLUGradient(
  _ dh: Matrix, _ gate: Matrix, _ up: Matrix, rows: Indices, _ activation: Activation, _ routing: Routing,
  dgate: Matrix, dup: Matrix, dweights: Matrix
) {
  var activation = activation.constants
  gk_weighted_glu_gradient(
    &activation, routing.slot.start, routing.weights.start, gate.start, up.start, rows.start, dh.start, dgate.start,
    dup.start, dweights.start, dweights.count, dh.columns)
}

/// What a bias[E, C] of the combined rows adds to dweights; the sorted rows of dy, the gradient without the weights,
/// become those with them, whose sums are the bias's gradient.
package func expertBiasGradient(_ dy: Matrix, _ bias: Matrix, _ routing: Routing, addingTo dweights: Matrix) {
  gk_expert_bias_gradient(
    dy.start, routing.slot.start, routing.experts.start, routing.weights.start, bias.start, dweights.start,
    dweights.count, dy.columns)
}

/// dx[t] += Σ over the choices of t of dsorted[sorted row].
package func ungatherAdd(_ dsorted: Matrix, _ routing: Routing, to dx: Matrix) {
  gk_ungather_add(dsorted.start, routing.slot.start, dx.start, dx.rows, routing.weights.columns, dx.columns)
}

/// Logits x become softcap · tanh(x / softcap), in place.
package func softCap(_ x: Matrix, at softcap: Float) {
  gk_softcap(x.start, softcap, x.count)
}

/// dy becomes the gradient of the logits that ``softCap(_:at:)`` made y of.
package func softCapGradient(_ y: Matrix, at softcap: Float, _ dy: Matrix) {
  gk_softcap_gradient(y.start, softcap, dy.start, dy.count)
}

/// Log-probabilities of `targets` under softmax(logits / temperature); each output is [T, 1] or nil.
package func logSoftmax(
  _ logits: Rows, temperature: Float, targets: Indices?, logp: Matrix?, lse: Matrix?, entropy: Matrix?
) {
  gk_log_softmax(
    logits.matrix.start, logits.index?.start, 1 / temperature, targets?.start, logp?.start, lse?.start, entropy?.start,
    logits.count, logits.matrix.columns)
}

/// The gradient of Σ dlogp · logp; dlogits may be the logits, where these are a whole matrix.
package func logSoftmaxGradient(
  _ logits: Rows, temperature: Float, targets: Indices, lse: Matrix, dlogp: Matrix, into dlogits: Matrix
) {
  gk_log_softmax_gradient(
    logits.matrix.start, logits.index?.start, 1 / temperature, targets.start, lse.start, dlogp.start, dlogits.start,
    logits.count, logits.matrix.columns)
}

/// Index of the largest of a row of logits; a tie takes the lower.
package func argmax(_ logits: Matrix) -> Int32 {
  gk_argmax(logits.start, logits.columns)
}

/// How a token is drawn from logits.
package typealias TokenFilter = gk_sampling

/// Draws a token from each row of logits[T, V] with its u in [0, 1), and its log-probability under the filtered
/// distribution; logp[T, 1].
package func drawTokens(_ logits: Matrix, _ filter: TokenFilter, u: [Double], into tokens: Indices, logp: Matrix) {
  precondition(u.count == logits.rows && tokens.count == logits.rows && logp.count == logits.rows)
  var filter = filter
  gk_sample(logits.start, &filter, u, tokens.start, logp.start, logits.rows, logits.columns)
}

/// Σ x² in double precision.
package func sumOfSquares(_ x: Matrix) -> Double {
  gk_sum_of_squares(x.start, x.count)
}

/// One AdamW step's constants.
package typealias AdamWStep = gk_adamw_step

/// One step of AdamW on w, with gradients g and moments m, v of the same shape. Returns whether every w is a finite number
/// after it.
/// - Parameter rounded: where not nil, becomes w in bfloat16, as ``narrow(_:into:outputs:inputs:)`` rounds matrices of an
///   even number of inputs.
package func adamW(
  _ w: Matrix, g: Matrix, m: Matrix, v: Matrix, rounded: UnsafeMutablePointer<UInt16>? = nil, step: AdamWStep
) -> Bool {
  var step = step
  return gk_adamw(w.start, g.start, m.start, v.start, rounded, w.count, &step)
}

/// The same with moments in bfloat16, rounded stochastically; `first` is the index of w's first element among all, which
/// with the step's number names the chances.
package func adamW(
  _ w: Matrix, g: Matrix, m: UnsafeMutablePointer<UInt16>, v: UnsafeMutablePointer<UInt16>,
  rounded: UnsafeMutablePointer<UInt16>? = nil, first: Int, step: AdamWStep
) -> Bool {
  var step = step
  return gk_adamw_bfloat16(w.start, g.start, m, v, rounded, first, w.count, &step)
}
