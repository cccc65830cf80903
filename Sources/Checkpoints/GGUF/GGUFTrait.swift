import Values

/// What a GGUF file's metadata and a config.json say of one thing, in both directions.
protocol GGUFTrait {
  /// Sets the keys of config.json.
  func read(_ file: GGUFSource, into config: inout Table) throws(GRAOError)
  /// Adds the metadata keys; what llama.cpp would compute otherwise is an error that names the key of config.json.
  func write(_ config: Table, to metadata: inout GGUFMetadata) throws(GRAOError)
}

/// A file as its traits see it: metadata keys without the architecture's name before them.
struct GGUFSource {
  let file: GGUFFile
  /// general.architecture.
  let name: String

  func value(_ key: String) -> Value? { file.metadata["\(name).\(key)"] }

  func failure(_ key: String, _ what: String) -> GRAOError {
    GRAOError("\(file.path): the metadata key \"\(name).\(key)\" \(what)")
  }

  func expected(_ key: String, _ what: String) -> GRAOError {
    GRAOError("\(file.path): the metadata key \"\(name).\(key)\": expected \(what)")
  }

  /// A positive integer of 32 bits; nil where the key is missing.
  func positive(_ key: String) throws(GRAOError) -> Int? {
    guard let value = value(key) else { return nil }
    guard let integer = value.integer, integer > 0, integer <= Int(Int32.max) else {
      throw expected(key, "a positive integer")
    }
    return integer
  }

  /// A positive, finite number; nil where the key is missing.
  func number(_ key: String) throws(GRAOError) -> Double? {
    guard let value = value(key) else { return nil }
    guard let number = value.number, number > 0, number.isFinite else {
      throw expected(key, "a positive number")
    }
    return shortest(number)
  }

  /// The float32 elements of a tensor that describes the architecture; nil where the file has none.
  func elements(_ tensor: String) throws(GRAOError) -> [Float]? {
    guard let tensor = file.tensors.first(where: { $0.name == tensor }) else { return nil }
    let count = tensor.shape.reduce(1, *)
    guard tensor.shape.count == 1, tensor.type.elementType == .float32, count < 1 << 20 else {
      throw GRAOError("\(file.path): tensor \"\(tensor.name)\" should be a vector of F32")
    }
    var elements = [Float](repeating: 0, count: count)
    try elements.withUnsafeMutableBufferPointer { buffer throws(GRAOError) in
      try file.read(tensor, from: 0, into: buffer)
    }
    return elements
  }
}

/// The shortest decimal that means the same float32: the number that config.json had.
func shortest(_ number: Double) -> Double { Double(Float(number).description) ?? number }

/// The metadata of a file to be written, and the tensors that describe its architecture.
struct GGUFMetadata {
  /// general.architecture.
  let name: String
  /// In the order of the file.
  private(set) var entries: [(key: String, value: GGUFValue)] = []
  private(set) var vectors: [(name: String, elements: [Float])] = []

  init(name: String) { self.name = name }

  /// Sets a key of the architecture's.
  mutating func set(_ key: String, _ value: GGUFValue) { setWhole("\(name).\(key)", value) }

  mutating func setWhole(_ key: String, _ value: GGUFValue) {
    entries.removeAll { $0.key == key }
    entries.append((key, value))
  }

  mutating func add(_ vector: String, _ elements: [Float]) { vectors.append((vector, elements)) }
}

/// The value of a metadata key, typed as llama.cpp expects it.
enum GGUFValue {
  case unsigned(UInt32)
  case signed(Int32)
  case number(Float)
  case boolean(Bool)
  case string(String)
  case strings([String])
  case integers([Int32])
  case numbers([Float])
  case booleans([Bool])
}

extension Table {
  /// The value of a key, where null is as good as no key.
  func given(_ key: String) -> Value? { self[key]?.unlessNull }

  func configFailure(_ key: String, _ expected: String) -> GRAOError {
    let found = self[key].flatMap { try? JSON.print($0) } ?? "missing"
    return GRAOError("config.json: \(key) is \(found); a GGUF file of this architecture needs \(expected)")
  }

  /// A positive integer of 32 bits.
  func positive(_ key: String) throws(GRAOError) -> UInt32 {
    guard let integer = given(key)?.integer, integer > 0, let value = UInt32(exactly: integer) else {
      throw configFailure(key, "a positive integer")
    }
    return value
  }

  /// A finite number.
  func number(_ key: String) throws(GRAOError) -> Double {
    guard let number = given(key)?.number, number.isFinite else { throw configFailure(key, "a number") }
    return number
  }
}
