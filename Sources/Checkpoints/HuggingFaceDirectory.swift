import Values

/// A Hugging Face model directory: config.json, and model.safetensors or the shards that
/// model.safetensors.index.json names.
final class HuggingFaceDirectory: Checkpoint {
  let path: String
  let config: Table
  let generationConfig: Table?
  let tensors: [String: TensorInfo]
  let tokenizer: TokenizerSource
  /// The file and the place of every tensor.
  private let places: [String: (file: SafetensorsFile, entry: SafetensorsFile.Entry)]
  /// The factors of the weights stored in 8 bits.
  private let scales: [String: Float8Scales]
  /// Tensors that the files hold in two parts.
  private let packed: [String: MXFP4Experts]

  init(_ path: String) throws(GRAOError) {
    guard let config = try Self.json("\(path)/config.json") else {
      throw GRAOError("\(path): there is no config.json, so it is not a model directory")
    }
    var places: [String: (file: SafetensorsFile, entry: SafetensorsFile.Entry)] = [:]
    for file in try Self.weightFiles(path) {
      for (name, entry) in file.entries { places[name] = (file, entry) }
    }
    self.path = path
    self.config = config
    generationConfig = try Self.json("\(path)/generation_config.json")
    let entries = places.mapValues(\.entry)
    scales = try Self.scales(entries.mapValues(\.info), config, path)
    packed = try MXFP4Experts.find(in: entries, config, path)
    let parts = Set(scales.values.map(\.name) + packed.values.flatMap { [$0.blocks, $0.scales] })
    var tensors = entries.filter { !parts.contains($0.key) }.mapValues(\.info)
    for (name, experts) in packed {
      let info = TensorInfo(name: name, shape: experts.shape, elementType: .quantized)
      guard tensors.updateValue(info, forKey: name) == nil else {
        throw GRAOError("\(path): there is a tensor \"\(name)\", and \"\(experts.blocks)\" too")
      }
    }
    self.tensors = tensors
    tokenizer = try Self.hasTokenizer(path) ? .directory(path) : .none
    self.places = places
  }

  func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws(GRAOError) {
    if let experts = packed[name] { return try read(experts, name, into: destination) }
    guard let (file, entry) = places[name] else { throw missing(name) }
    try check(entry.info, fits: destination)
    try file.read(entry, into: destination)
    guard let scales = scales[name], let (file, entry) = places[scales.name] else { return }
    var factors = [Float](repeating: 1, count: entry.info.elementCount)
    try factors.withUnsafeMutableBufferPointer { buffer throws(GRAOError) in try file.read(entry, into: buffer) }
    scales.apply(factors, to: destination, shape: tensors[name]?.shape ?? [])
  }

  private func read(
    _ experts: MXFP4Experts, _ name: String, into destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError) {
    guard let info = tensors[name], let blocks = raw(experts.blocks), let scales = raw(experts.scales) else {
      throw missing(name)
    }
    try check(info, fits: destination)
    experts.decode(blocks.bytes, scales: scales.bytes, into: destination)
  }

  var rawNames: [String] { places.keys.sorted() }

  func raw(_ name: String) -> RawTensor? { places[name].map { $0.file.raw($0.entry) } }

  private static func scales(
    _ tensors: [String: TensorInfo], _ config: Table, _ path: String
  ) throws(GRAOError) -> [String: Float8Scales] {
    guard let quantization = try Float8Quantization(config: config, path: path) else { return [:] }
    var scales: [String: Float8Scales] = [:]
    for tensor in tensors.values where tensor.elementType == .quantized {
      let names = Float8Quantization.scaleNames(of: tensor.name)
      guard let scale = names.lazy.compactMap({ tensors[$0] }).first else { throw quantization.missing(tensor.name) }
      scales[tensor.name] = try quantization.scales(of: tensor, in: scale)
    }
    return scales
  }

  /// The object in a JSON file; nil where there is no such file.
  private static func json(_ path: String) throws(GRAOError) -> Table? {
    guard try fileKind(path) != nil else { return nil }
    let file = try MappedFile(path)
    guard let table = try JSON.parse(file.bytes, source: path).table else {
      throw GRAOError("\(path): expected an object")
    }
    return table
  }

  private static func weightFiles(_ path: String) throws(GRAOError) -> [SafetensorsFile] {
    let single = "\(path)/\(ShardNames.single)"
    if try fileKind(single) != nil { return [try SafetensorsFile(single)] }
    let indexPath = "\(path)/\(ShardNames.index)"
    guard let index = try json(indexPath) else {
      throw GRAOError("\(path): there is neither \(ShardNames.single) nor \(ShardNames.index)")
    }
    guard let map = index["weight_map"]?.table else {
      throw GRAOError("\(indexPath): expected an object \"weight_map\"")
    }
    var files: [String: SafetensorsFile] = [:]
    var inOrder: [SafetensorsFile] = []
    for (tensor, value) in map {
      guard let name = value.string, !name.isEmpty, !name.contains("/") else {
        throw GRAOError("\(indexPath): tensor \"\(tensor)\": expected the name of a file in the directory")
      }
      if files[name] == nil {
        guard try fileKind("\(path)/\(name)") != nil else {
          throw GRAOError("\(indexPath): tensor \"\(tensor)\" should be in \(name), but there is no such file")
        }
        let file = try SafetensorsFile("\(path)/\(name)")
        files[name] = file
        inOrder.append(file)
      }
      guard files[name]?.entries[tensor] != nil else {
        throw GRAOError("\(indexPath): tensor \"\(tensor)\" should be in \(name), but is not")
      }
    }
    for file in inOrder {
      for name in file.entries.keys.sorted() where map[name]?.string.map({ files[$0] === file }) != true {
        throw GRAOError("\(file.path): tensor \"\(name)\" is not where \(indexPath) says")
      }
    }
    return inOrder
  }

  private static func hasTokenizer(_ path: String) throws(GRAOError) -> Bool {
    for name in ["tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json"] {
      if try fileKind("\(path)/\(name)") != nil { return true }
    }
    return false
  }
}
