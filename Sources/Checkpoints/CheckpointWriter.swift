import Values

/// A tensor to be written, and where its elements come from.
public struct OutgoingTensor {
  enum Content {
    case elements((UnsafeMutableBufferPointer<Float>) throws(GRAOError) -> Void)
    case raw(RawTensor)
  }

  /// Its name, its shape and the format to store it in: float32, float16 or bfloat16, where it is not a raw one.
  public let info: TensorInfo
  let content: Content

  /// - Parameter fill: fills a buffer of the tensor's size with its row-major elements, when the tensor's turn has
  /// come.
  public init(
    _ info: TensorInfo, fill: @escaping (UnsafeMutableBufferPointer<Float>) throws(GRAOError) -> Void
  ) {
    self.info = info
    content = .elements(fill)
  }

  /// A tensor that is written as its file had it.
  /// - Parameter isQuantized: whether config.json's `quantization_config` is about it, whatever its dtype.
  public init(_ raw: RawTensor, isQuantized: Bool = false) {
    let type = isQuantized ? .quantized : SafetensorsType.elementType(raw.dtype)
    info = TensorInfo(name: raw.name, shape: raw.shape, elementType: type)
    content = .raw(raw)
  }
}

/// Writes a Hugging Face model directory, atomically and in the memory of its largest tensor.
public struct CheckpointWriter {
  /// What config.json will hold.
  public var config: Table
  /// In the order in which they are written.
  public var tensors: [OutgoingTensor]
  /// Further files, as name and content: generation_config.json, tokenizer.json, …
  public var files: [(name: String, bytes: [UInt8])]
  /// The tensors of one file take no more than this, a single larger one excepted.
  public var maxShardBytes: Int

  /// - Parameter files: what else belongs to the model, by name; a name may have one folder before it.
  public init(
    config: Table, tensors: [OutgoingTensor], files: [(name: String, bytes: [UInt8])] = [],
    maxShardBytes: Int = 5_000_000_000
  ) {
    self.config = config
    self.tensors = tensors
    self.files = files
    self.maxShardBytes = maxShardBytes
  }

  /// Writes all of it, or, failing, leaves `directory` as it was. A directory that exists is replaced only where it is
  /// empty or holds a config.json; of its files, those survive that are neither written nor hold its old weights.
  public func write(to directory: String) throws(GRAOError) {
    let shards = try plan()
    var config = config
    // It describes weights of 8 or 4 bits; read as numbers and written as numbers they need none.
    if !tensors.contains(where: { $0.info.elementType == .quantized }) { config["quantization_config"] = nil }
    let configText = try JSON.print(.table(config), pretty: true) + "\n"
    for (name, _) in files {
      let parts = name.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count <= 2, parts.allSatisfy({ !["", ".", ".."].contains($0) }), name != "config.json",
        !ShardNames.isWeights(name)
      else { throw GRAOError("\(directory): cannot save a file \"\(name)\" beside the weights") }
    }
    try replaceDirectory(directory, marker: "config.json", isReplaced: ShardNames.isWeights) {
      path throws(GRAOError) in
      for (index, shard) in shards.enumerated() {
        let name = shards.count == 1 ? ShardNames.single : ShardNames.shard(index, of: shards.count)
        try shard.write(to: "\(path)/\(name)")
      }
      if shards.count > 1 {
        try put(try JSON.print(.table(Self.index(shards)), pretty: true) + "\n", at: "\(path)/\(ShardNames.index)")
      }
      try put(configText, at: "\(path)/config.json")
      let folders = Set(files.map(\.name).filter { $0.contains("/") }.map(directoryName))
      for folder in folders { try makeDirectories("\(path)/\(folder)") }
      for (name, bytes) in files { try put(bytes, at: "\(path)/\(name)") }
      for folder in folders { try synchronize("\(path)/\(folder)") }
    }
  }

  /// Deals the tensors out to files, in their order.
  private func plan() throws(GRAOError) -> [SafetensorsWriter] {
    var names: Set<String> = []
    var shards = [SafetensorsWriter()]
    for tensor in tensors {
      let name = tensor.info.name
      guard names.insert(name).inserted, name != "__metadata__" else {
        throw GRAOError("cannot save two tensors named \"\(name)\"")
      }
      guard let item = SafetensorsWriter.Item(tensor) else {
        throw GRAOError(
          "cannot save tensor \"\(name)\" of shape \(tensor.info.shape) as \(tensor.info.elementType.rawValue)")
      }
      let (total, overflow) = shards[shards.count - 1].dataBytes.addingReportingOverflow(item.bytes)
      if overflow || total > maxShardBytes, shards[shards.count - 1].dataBytes > 0 {
        shards.append(SafetensorsWriter())
      }
      shards[shards.count - 1].append(item)
    }
    return shards
  }

  private static func index(_ shards: [SafetensorsWriter]) -> Table {
    var places: [(String, Value)] = []
    var total = 0
    for (index, shard) in shards.enumerated() {
      total += shard.dataBytes
      let file = ShardNames.shard(index, of: shards.count)
      places += shard.names.map { ($0, .string(file)) }
    }
    places.sort { $0.0 < $1.0 }
    return Table([
      ("metadata", .table(Table([("total_size", .integer(total))]))), ("weight_map", .table(Table(places))),
    ])
  }

  private func put(_ text: String, at path: String) throws(GRAOError) { try put(Array(text.utf8), at: path) }

  private func put(_ bytes: [UInt8], at path: String) throws(GRAOError) {
    let file = try OutputFile(path)
    try file.write(bytes)
    try file.finish()
  }
}
