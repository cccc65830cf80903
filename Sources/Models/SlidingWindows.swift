import Values

extension Configuration {
  /// The window of each layer, 0 for none; empty where no layer has one.
  ///
  /// `sliding_window` holds for the layers that `layer_types` calls "sliding_attention"; without `layer_types`, for
  /// those that `slides` says.
  /// - Parameter fallback: the window where the key is absent; null is no window.
  func slidingWindows(
    layers: Int, default fallback: Int? = nil, slides: (Int) -> Bool
  ) throws(GRAOError) -> [Int] {
    guard table["sliding_window"].map({ !$0.isNull }) ?? (fallback != nil) else { return [] }
    let window = try count("sliding_window", default: fallback, atMost: 1 << 30)
    var isSliding = (0..<layers).map(slides)
    if let types = table["layer_types"], !types.isNull {
      guard let names = types.array?.compactMap(\.string), names.count == layers else {
        throw failure("layer_types", "must name the kind of each of the \(layers) layers")
      }
      for (layer, name) in names.enumerated() {
        guard ["full_attention", "sliding_attention"].contains(name) else {
          throw failure("layer_types", "names '\(name)': expected full_attention or sliding_attention")
        }
        isSliding[layer] = name == "sliding_attention"
      }
    }
    return isSliding.contains(true) ? isSliding.map { $0 ? window : 0 } : []
  }

  /// Qwen's rule: only with `use_sliding_window`, and from layer `max_window_layers` on.
  func qwenSlidingWindows(layers: Int, defaultFullLayers: Int = 28) throws(GRAOError) -> [Int] {
    guard try flag("use_sliding_window", default: false) else { return [] }
    let full = table["max_window_layers"]?.integer ?? defaultFullLayers
    return try slidingWindows(layers: layers, default: 4096) { $0 >= full }
  }
}
