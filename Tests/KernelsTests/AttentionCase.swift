import CKernels

/// Queries, keys and values of sequences that share prefixes.
struct AttentionCase {
  var shape: gk_attention_shape
  /// Whether each query head has a sink.
  let sinking: Bool
  /// Rows of q. Those of k and v stand `shift` further on, behind rows that nobody reads.
  var rows = 0
  static let shift = 3
  var segments: [gk_segment] = []
  var spans: [gk_span] = []
  /// Segments of each tree.
  var trees: [Int32] = [0]
  var q: [Float] = []
  var k: [Float] = []
  var v: [Float] = []
  var sinks: [Float]?
  var dout: [Float] = []

  /// - Parameter u: channels of a value head; d where nil.
  init(_ h: Int, _ g: Int, _ d: Int, u: Int? = nil, window: Int = 0, softcap: Float = 0, sinks: Bool = false) {
    let u = u ?? d
    shape = gk_attention_shape(
      h: h, g: g, d: d, u: u, v_stride: g * u, scale: 1 / Float(d).squareRoot(), softcap: softcap, window: window)
    sinking = sinks
  }

  /// A run of new tokens after those of `prefix`.
  mutating func addSegment(rows count: Int, prefix: [Range<Int>] = []) {
    addSegment(rows..<rows + count, prefix: prefix)
    rows += count
  }

  mutating func addSegment(_ tokens: Range<Int>, prefix: [Range<Int>]) {
    segments.append(
      gk_segment(
        row: Int32(tokens.lowerBound), rows: Int32(tokens.count), kv: Int32(tokens.lowerBound + Self.shift),
        span: Int32(spans.count), spans: Int32(prefix.count)))
    spans += prefix.map { gk_span(row: Int32($0.lowerBound + Self.shift), rows: Int32($0.count)) }
  }

  mutating func endTree() { trees.append(Int32(segments.count)) }

  mutating func fill(_ numbers: inout Numbers) {
    q = numbers.normals(rows * shape.h * shape.d)
    k = numbers.normals((rows + Self.shift) * shape.g * shape.d)
    v = numbers.normals((rows + Self.shift) * shape.v_stride)
    sinks = sinking ? numbers.normals(shape.h) : nil
    dout = numbers.normals(rows * shape.h * shape.u)
  }

  /// out and lse.
  func forward() -> [[Float]] {
    var (shape, out, lse) = (shape, unwritten(rows * shape.h * shape.u), unwritten(rows * shape.h))
    gk_attention(&shape, q, k, v, sinks, &out, &lse, segments, segments.count, spans)
    return [out, lse]
  }

  /// dq, dk, dv and dsinks.
  func gradient(out: [Float], lse: [Float]) -> [[Float]] {
    var (shape, dq) = (shape, [Float](repeating: 0, count: q.count))
    var (dk, dv) = ([Float](repeating: 0, count: k.count), [Float](repeating: 0, count: v.count))
    // What the gradient is added to.
    var dsinks = [Float](repeating: 1, count: sinks?.count ?? 0)
    gk_attention_gradient(
      &shape, dout, q, k, v, sinks, out, lse, &dq, &dk, &dv, &dsinks, segments, spans, trees, trees.count - 1)
    return [dq, dk, dv, dsinks]
  }

  /// out and lse where v lies within k.
  func forwardSharing() -> [[Float]] {
    var (shape, out, lse) = (shape, unwritten(rows * shape.h * shape.u), unwritten(rows * shape.h))
    k.withUnsafeBufferPointer { k in
      gk_attention(
        &shape, q, k.baseAddress, k.baseAddress, sinks, &out, &lse, segments, segments.count, spans)
    }
    return [out, lse]
  }

  /// The gradient of k where v lies within it.
  func gradientSharing(out: [Float], lse: [Float]) -> [Float] {
    var (shape, dq) = (shape, [Float](repeating: 0, count: q.count))
    var dk = [Float](repeating: 0, count: k.count)
    k.withUnsafeBufferPointer { k in
      dk.withUnsafeMutableBufferPointer { dk in
        gk_attention_gradient(
          &shape, dout, q, k.baseAddress, k.baseAddress, sinks, out, lse, &dq, dk.baseAddress, dk.baseAddress, nil,
          segments, spans, trees, trees.count - 1)
      }
    }
    return dk
  }

  func twinForward(_ q: [Double], _ k: [Double], _ v: [Double], _ sinks: [Double]?) -> [[Double]] {
    var (shape, out, lse) = (shape, zeros(dout.count), zeros(rows * shape.h))
    naive_attention(&shape, q, k, v, sinks, &out, &lse, segments, segments.count, spans)
    return [out, lse]
  }

  func twinForward() -> [[Double]] { twinForward(q.doubles, k.doubles, v.doubles, sinks?.doubles) }

  func twinGradient() -> [[Double]] {
    var (shape, dq, dk, dv) = (shape, zeros(q.count), zeros(k.count), zeros(v.count))
    var dsinks = [Double](repeating: 1, count: sinks?.count ?? 0)
    naive_attention_gradient(
      &shape, dout.doubles, q.doubles, k.doubles, v.doubles, sinks?.doubles, &dq, &dk, &dv, &dsinks, segments,
      segments.count, spans)
    return [dq, dk, dv, dsinks]
  }

  /// Fills an empty case: a prompt, branches that share it, one that branches again, a decoded token after several
  /// spans; then a sequence of its own.
  func tree(_ numbers: inout Numbers) -> AttentionCase {
    var example = self
    let prompt = 0..<1 + numbers.below(40)
    example.addSegment(rows: prompt.count)
    let branch = example.rows..<example.rows + 1 + numbers.below(20)
    example.addSegment(rows: branch.count, prefix: [prompt])
    example.addSegment(rows: 1 + numbers.below(9), prefix: [prompt, branch])
    example.addSegment(rows: 1, prefix: [prompt])
    let part = branch.prefix((branch.count + 1) / 2)
    example.addSegment(rows: 1, prefix: [prompt, part, example.rows - 1..<example.rows])
    example.endTree()
    example.addSegment(rows: 17 + numbers.below(8))
    example.endTree()
    example.fill(&numbers)
    return example
  }
}

extension AttentionCase: CustomStringConvertible {
  var description: String {
    "H \(shape.h) G \(shape.g) D \(shape.d) U \(shape.u) window \(shape.window) softcap \(shape.softcap)"
      + (sinking ? " sinks" : "")
  }
}
