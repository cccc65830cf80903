/// The names that Hugging Face gives to the files that hold a model's weights.
enum ShardNames {
  static let single = "model.safetensors"
  static let index = "model.safetensors.index.json"

  /// Shard number `index`, from 0, of `count`: "model-00001-of-00003.safetensors".
  static func shard(_ index: Int, of count: Int) -> String {
    func digits(_ number: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
    return "model-\(digits(index + 1))-of-\(digits(count)).safetensors"
  }

  /// Whether a file of this name holds weights of a model, or says which files do.
  static func isWeights(_ name: String) -> Bool {
    if name == single || name == index { return true }
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "model" && parts[2] == "of" && parts[3].hasSuffix(".safetensors")
  }
}
