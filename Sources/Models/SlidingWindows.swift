import Values

extension Configuration {
  /// The window of each layer, 0 for none; empty where no layer has one.
  ///
  /// `sliding_window` holds for the layers that `layer_types` calls "sliding_attention"; without `layer_types`, for
  /// those that `slides` says.
  /// - Parameters:
  ///   - fallback: the window where the key is absent; null is no window.
  ///   - slides: nil in an architecture whose window holds for every layer: `layer_types` that say otherwise are refused.
  func slidingWindows(
    layers: Int, default fallback: Int? = nil, slides: ((Int) -> Bool)? = nil
  ) throws(GRAOError) -> [Int] {
    guard table["sliding_window"].map({ !$0.isNull }) ?? (fallback != nil) else { return [] }
    let window = try count("sliding_window", default: fallback, atMost: 1 << 30)
    var isSliding = (0..<layers).map(slides ?? { _ in true })
    if let types = table["layer_types"], !types.isNull {
      guard let names = types.array?.compactMap(\.string), names.count == layers else {
        throw failure("layer_types", "must name the kind of each of the \(layers) layers")
      }
      for (layer, name) in names.enumerated() {
        guard ["full_attention", "sliding_attention"].contains(name) else {
          throw failure("layer_types", "names '\(name)': expected full_attention or sliding_attention")
        }
        guard slides != nil || name == "sliding_attention" else {
          throw failure("layer_types", "names '\(name)': here the sliding window holds for every layer")
        }
        isSliding[layer] = name == "sliding_attention"
      }
    }
    return isSliding.contains(true) ? isSliding.map { $0 ? window : 0 } : []
  }

  /// Windows in all layers but each `period`-th, or in those that `layer_types` says; null is refused, for transformers
  /// has no mask then.
  func alternatingWindows(layers: Int, period: Int, default fallback: Int) throws(GRAOError) -> [Int] {
    guard table["sliding_window"]?.isNull != true else {
      throw failure("sliding_window", "is null: must be a positive integer")
    }
    let windows = try slidingWindows(layers: layers, default: fallback) { ($0 + 1) % period != 0 }
    return windows.isEmpty ? Array(repeating: 0, count: layers) : windows
  }

  /// Qwen's rule: only with `use_sliding_window`.
  /// - Parameter slides: whether a layer has the window, given `max_window_layers`; nil where every layer has.
  func qwenSlidingWindows(
    layers: Int, slides: ((_ layer: Int, _ limit: Int) -> Bool)?
  ) throws(GRAOError) -> [Int] {
    guard try flag("use_sliding_window", default: false) else { return [] }
    guard let slides else { return try slidingWindows(layers: layers, default: 4096) }
    let value = table["max_window_layers"] ?? 28
    guard let limit = value.integer, limit >= 0 else {
      throw failure("max_window_layers", "must be an integer, 0 or more")
    }
    return try slidingWindows(layers: layers, default: 4096) { slides($0, limit) }
  }
}
