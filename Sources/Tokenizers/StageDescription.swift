import Values

/// One stage of a tokenizer.json (a normalizer, a pre-tokenizer, …): its table, read with errors that say where it is.
struct StageDescription {
  let table: Table
  /// Where the stage stands: "model/tokenizer.json: pre_tokenizer.pretokenizers[1]".
  let path: String

  init(_ value: Value, path: String) throws(GRAOError) {
    guard let table = value.table else { throw GRAOError("\(path): expected a table, found \(value.kind)") }
    self.table = table
    self.path = path
  }

  var type: String? { table["type"]?.string }

  /// The value of `key`, or nil where it is absent or null.
  func value(_ key: String) -> Value? {
    guard let value = table[key], !value.isNull else { return nil }
    return value
  }

  func boolean(_ key: String, default fallback: Bool? = nil) throws(GRAOError) -> Bool {
    guard let value = value(key) else {
      if let fallback { return fallback }
      throw GRAOError("\(path).\(key): expected true or false, found nothing")
    }
    guard let boolean = value.boolean else {
      throw GRAOError("\(path).\(key): expected true or false, found \(value.kind)")
    }
    return boolean
  }

  func string(_ key: String) throws(GRAOError) -> String {
    guard let value = value(key) else { throw GRAOError("\(path).\(key): expected a string, found nothing") }
    guard let string = value.string else { throw GRAOError("\(path).\(key): expected a string, found \(value.kind)") }
    return string
  }

  /// A number of things, 0 or more.
  func count(_ key: String) throws(GRAOError) -> Int {
    guard let count = value(key)?.integer, count >= 0 else {
      throw GRAOError("\(path).\(key): expected a whole number, 0 or more")
    }
    return count
  }

  func stage(_ key: String) throws(GRAOError) -> StageDescription {
    try StageDescription(value(key) ?? .null, path: "\(path).\(key)")
  }

  func stages(_ key: String) throws(GRAOError) -> [StageDescription] {
    guard let elements = value(key)?.array else { throw GRAOError("\(path).\(key): expected an array") }
    var stages: [StageDescription] = []
    for (index, element) in elements.enumerated() {
      stages.append(try StageDescription(element, path: "\(path).\(key)[\(index)]"))
    }
    return stages
  }

  /// Refuses an option whose effect is not built: anything but absence, null or `inert`.
  func refuse(_ key: String, unless inert: Value) throws(GRAOError) {
    if let value = value(key), value != inert { throw GRAOError("\(path).\(key) is not supported") }
  }
}

/// The stages of one kind that are built, by the "type" that names them in tokenizer.json.
struct StageRegistry<Stage>: Sendable {
  let makers: [String: @Sendable (StageDescription) throws(GRAOError) -> Stage]

  func make(_ description: StageDescription) throws(GRAOError) -> Stage {
    guard let type = description.type, let maker = makers[type] else {
      throw GRAOError("\(description.path): type '\(description.type ?? "none")' is not supported")
    }
    return try maker(description)
  }
}
