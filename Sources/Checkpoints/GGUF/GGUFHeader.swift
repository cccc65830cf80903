import Values

/// The front of a GGUF file, version 3: metadata and the list of tensors, padded to where the data starts.
struct GGUFHeader {
  /// Data and tensors begin at multiples of it.
  static let alignment = 32

  private(set) var bytes: [UInt8] = []

  init(_ metadata: [(key: String, value: GGUFValue)], _ tensors: [GGUFOutgoing]) {
    bytes += "GGUF".utf8
    put(UInt32(3))
    put(UInt64(tensors.count))
    put(UInt64(metadata.count))
    for (key, value) in metadata {
      put(key)
      put(value)
    }
    var offset = 0
    for tensor in tensors {
      put(tensor.name)
      put(UInt32(tensor.shape.count))
      for size in tensor.shape.reversed() { put(UInt64(size)) }
      put(tensor.type.number)
      put(UInt64(offset))
      offset += Self.padded(tensor.bytes)
    }
    bytes += repeatElement(0, count: Self.padded(bytes.count) - bytes.count)
  }

  static func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

  private mutating func put(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  private mutating func put(_ text: String) {
    put(UInt64(text.utf8.count))
    bytes += text.utf8
  }

  private mutating func put(_ value: GGUFValue) {
    put(value.type)
    switch value {
    case .unsigned(let number): put(number)
    case .signed(let number): put(number)
    case .number(let number): put(number.bitPattern)
    case .boolean(let flag): put(UInt8(flag ? 1 : 0))
    case .string(let text): put(text)
    case .strings(let texts): put(8, texts) { $0.put($1) }
    case .integers(let numbers): put(5, numbers) { $0.put($1) }
    case .numbers(let numbers): put(6, numbers) { $0.put($1.bitPattern) }
    case .booleans(let flags): put(7, flags) { $0.put(UInt8($1 ? 1 : 0)) }
    }
  }

  private mutating func put<Element>(_ type: UInt32, _ elements: [Element], _ one: (inout Self, Element) -> Void) {
    put(type)
    put(UInt64(elements.count))
    for element in elements { one(&self, element) }
  }
}

extension GGUFValue {
  /// The file's number of the type.
  var type: UInt32 {
    switch self {
    case .unsigned: 4
    case .signed: 5
    case .number: 6
    case .boolean: 7
    case .string: 8
    case .strings, .integers, .numbers, .booleans: 9
    }
  }

  /// A value as it was read, in the type that llama.cpp expects of keys of its kind; nil for what no tokenizer's key
  /// is.
  init?(_ value: Value) {
    switch value {
    case .boolean(let flag): self = .boolean(flag)
    case .integer(let integer):
      if let number = UInt32(exactly: integer) {
        self = .unsigned(number)
      } else if let number = Int32(exactly: integer) {
        self = .signed(number)
      } else {
        return nil
      }
    case .number(let number): self = .number(Float(number))
    case .string(let text): self = .string(text)
    case .array(let elements):
      let strings = elements.compactMap(\.string)
      let flags = elements.compactMap(\.boolean)
      if strings.count == elements.count {
        self = .strings(strings)
      } else if flags.count == elements.count {
        self = .booleans(flags)
      } else if case let integers = elements.compactMap(\.wholeNumber), integers.count == elements.count {
        self = .integers(integers)
      } else if case let numbers = elements.compactMap(\.number), numbers.count == elements.count {
        self = .numbers(numbers.map { Float($0) })
      } else {
        return nil
      }
    case .null, .table, .object: return nil
    }
  }
}

extension Value {
  fileprivate var wholeNumber: Int32? {
    guard case .integer(let integer) = self else { return nil }
    return Int32(exactly: integer)
  }
}
