import Values

/// Which tensors of a model go where in a GGUF file, by its architecture's table.
struct GGUFLayout {
  private(set) var outgoing: [GGUFOutgoing] = []
  private let architecture: GGUFArchitecture
  private let config: Table
  private let type: GGUFElementType
  private let tensors: [String: OutgoingTensor]
  private var placed: Set<String> = []

  init(
    _ architecture: GGUFArchitecture, config: Table, tensors: [OutgoingTensor], type: GGUFElementType
  ) throws(GRAOError) {
    self.architecture = architecture
    self.config = config
    self.type = type
    var byName: [String: OutgoingTensor] = [:]
    for tensor in tensors where byName.updateValue(tensor, forKey: tensor.info.name) != nil {
      throw GRAOError("cannot save two tensors named \"\(tensor.info.name)\"")
    }
    self.tensors = byName
    let isTied = config.given("tie_word_embeddings")?.boolean ?? false
    for (name, place) in architecture.globalTensors where !(isTied && name == "output.weight") {
      try put(name, place, prefix: "")
    }
    let layers = Int(try config.positive("num_hidden_layers"))
    for layer in 0..<layers {
      for (name, place) in architecture.layerTensors {
        try put("blk.\(layer).\(name)", place, prefix: "model.layers.\(layer).")
      }
    }
    let left = byName.keys.filter { !placed.contains($0) && !isIgnored($0, isTied: isTied, layers: layers) }
    if let name = left.min() {
      throw GRAOError("tensor \"\(name)\" has no place in a GGUF file of the architecture \(architecture.name)")
    }
  }

  /// A tied head written out, old rotary tables, and the layers of DeepSeek-V3 that predict tokens further on.
  private func isIgnored(_ name: String, isTied: Bool, layers: Int) -> Bool {
    if isTied && name == "lm_head.weight" || name.hasSuffix(".rotary_emb.inv_freq") { return true }
    let parts = name.split(separator: ".", maxSplits: 3)
    guard parts.count == 4, parts[0] == "model", parts[1] == "layers", let layer = Int(parts[2]) else { return false }
    return layer >= layers && config.given("num_nextn_predict_layers") != nil
  }

  private mutating func take(_ name: String) -> OutgoingTensor? {
    guard let tensor = tensors[name] else { return nil }
    placed.insert(name)
    return tensor
  }

  private mutating func put(_ name: String, _ place: GGUFPlace, prefix: String) throws(GRAOError) {
    switch place {
    case .expert, .expertPairs, .latent: break
    case .whole(let source), .row(let source):
      guard let tensor = take(prefix + source) else { return }
      try add(name, tensor.info.shape) { put throws(GRAOError) in try tensor.withElements(put) }
    case .shifted(let source):
      guard let tensor = take(prefix + source) else { return }
      try add(name, tensor.info.shape) { put throws(GRAOError) in
        try tensor.withElements { elements throws(GRAOError) in
          try withFloats(elements.count) { shifted throws(GRAOError) in
            for index in elements.indices { shifted[index] = elements[index] + 1 }
            try put(UnsafeBufferPointer(shifted))
          }
        }
      }
    case .interleaved(let source, let key):
      guard let tensor = take(prefix + source) else { return }
      try putInterleaved(name, tensor, heads: Int(try heads(key)))
    case .experts(let source): try putExperts(name, prefix + source)
    case .stacked(let source, let stacking): try putStacked(name, prefix + source, stacking)
    case .latentKeys(let source): try putLatent(name, prefix + source, isKeys: true)
    case .latentValues(let source): try putLatent(name, prefix + source, isKeys: false)
    }
  }

  private func heads(_ key: String) throws(GRAOError) -> UInt32 {
    try config.positive(config.given(key) == nil ? "num_attention_heads" : key)
  }

  private mutating func add(
    _ name: String, _ shape: [Int],
    produce: @escaping ((UnsafeBufferPointer<Float>) throws(GRAOError) -> Void) throws(GRAOError) -> Void
  ) throws(GRAOError) {
    outgoing.append(try GGUFOutgoing(name, shape, type, produce: produce))
  }

  private mutating func putInterleaved(_ name: String, _ tensor: OutgoingTensor, heads: Int) throws(GRAOError) {
    let shape = tensor.info.shape
    guard let rows = shape.first, rows > 0, rows % (2 * heads) == 0 else {
      throw GRAOError("tensor \"\(tensor.info.name)\" of shape \(shape) does not fit \(heads) heads")
    }
    try add(name, shape) { put throws(GRAOError) in
      try tensor.withElements { elements throws(GRAOError) in
        let width = elements.count / rows
        try withFloats(elements.count) { turned throws(GRAOError) in
          for row in 0..<rows {
            let target = interleavedRow(row, rows / (2 * heads))
            for column in 0..<width { turned[target * width + column] = elements[row * width + column] }
          }
          try put(UnsafeBufferPointer(turned))
        }
      }
    }
  }

  private mutating func putExperts(_ name: String, _ source: String) throws(GRAOError) {
    var experts: [OutgoingTensor] = []
    while let expert = take(GGUFArchitecture.fill(source, experts.count)) { experts.append(expert) }
    guard let first = experts.first else { return try putFused(name, source) }
    let keys = ["num_experts", "num_local_experts", "n_routed_experts"]
    let count = keys.compactMap { config.given($0)?.integer }.first
    guard experts.count == count, experts.allSatisfy({ $0.info.shape == first.info.shape }) else {
      throw GRAOError("\"\(source)\": expected \(count ?? 0) experts of one shape, found \(experts.count)")
    }
    let all = experts
    try add(name, [all.count] + first.info.shape) { put throws(GRAOError) in
      for expert in all { try expert.withElements(put) }
    }
  }

  /// The same of experts that the checkpoint has as stacks: gate and up in one.
  private mutating func putFused(_ name: String, _ source: String) throws(GRAOError) {
    guard let mark = source.firstRange(of: "{}.") else { return }
    let base = source[..<mark.lowerBound]
    switch source[mark.upperBound...] {
    case "gate_proj.weight", "w1.weight": try putStacked(name, "\(base)gate_up_proj", .half(0))
    case "up_proj.weight", "w3.weight": try putStacked(name, "\(base)gate_up_proj", .half(1))
    default: try putStacked(name, "\(base)down_proj", .whole)
    }
  }

  /// A part of a stack of experts.
  private mutating func putStacked(_ name: String, _ source: String, _ stacking: GGUFStacking) throws(GRAOError) {
    guard let tensor = take(source) else { return }
    guard (2...3).contains(tensor.info.shape.count), let shape = stacking.part(of: tensor.info.shape), shape[0] > 0
    else { throw GRAOError("tensor \"\(source)\" of shape \(tensor.info.shape) is no stack of experts") }
    let (rows, columns) = (shape[1], shape.count == 3 ? shape[2] : 1)
    try add(name, shape) { put throws(GRAOError) in
      try tensor.withElements { elements throws(GRAOError) in
        try withFloats(rows * columns) { one throws(GRAOError) in
          for expert in 0..<shape[0] {
            let start = expert * (elements.count / shape[0])
            stacking.forEachElement(of: rows, columns) { index, place in one[index] = elements[start + place] }
            try put(UnsafeBufferPointer(one))
          }
        }
      }
    }
  }

  /// One part of each head's rows: those that make keys, transposed, or those that make values.
  private mutating func putLatent(_ name: String, _ source: String, isKeys: Bool) throws(GRAOError) {
    guard let tensor = take(source) else { return }
    let heads = Int(try config.positive("num_attention_heads"))
    let (keySize, valueSize) = (
      Int(try config.positive("qk_nope_head_dim")), Int(try config.positive("v_head_dim"))
    )
    let rank = Int(try config.positive("kv_lora_rank"))
    guard tensor.info.shape == [heads * (keySize + valueSize), rank] else {
      throw GRAOError("tensor \"\(source)\" of shape \(tensor.info.shape) does not fit the heads' sizes")
    }
    try add(name, isKeys ? [heads, rank, keySize] : [heads, valueSize, rank]) { put throws(GRAOError) in
      try tensor.withElements { elements throws(GRAOError) in
        for head in 0..<heads {
          let start = head * (keySize + valueSize) * rank
          let values = start + keySize * rank
          guard isKeys else {
            try put(UnsafeBufferPointer(rebasing: elements[values..<values + valueSize * rank]))
            continue
          }
          try withFloats(rank * keySize) { turned throws(GRAOError) in
            for row in 0..<keySize {
              for column in 0..<rank { turned[column * keySize + row] = elements[start + row * rank + column] }
            }
            try put(UnsafeBufferPointer(turned))
          }
        }
      }
    }
  }
}

/// Scratch room for the length of a call.
private func withFloats(
  _ count: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws(GRAOError) -> Void
) throws(GRAOError) {
  let room = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
  defer { room.deallocate() }
  try body(room)
}

extension OutgoingTensor {
  fileprivate func withElements(
    _ body: (UnsafeBufferPointer<Float>) throws(GRAOError) -> Void
  ) throws(GRAOError) {
    guard case .elements(let fill) = content else {
      throw GRAOError("tensor \"\(info.name)\" is carried as it is; it cannot be written to a GGUF file")
    }
    try withFloats(info.elementCount) { room throws(GRAOError) in
      try fill(room)
      try body(UnsafeBufferPointer(room))
    }
  }
}
