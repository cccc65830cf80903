/// Python's pprint.pformat: repr over several lines where it is longer than one of 80, dictionaries sorted by their keys.
struct PrettyPrinter {
  private static let width = 80
  private let interpreter: Interpreter
  private(set) var text = Text("")

  /// - Throws: where the object is too deep, or its text too long.
  init(_ object: Object, _ interpreter: Interpreter) throws(Failure) {
    self.interpreter = interpreter
    try write(sorted(object), indent: 0, allowance: 0, level: 1)
  }

  private func sorted(_ object: Object) throws(Failure) -> Object {
    try interpreter.nested { () throws(Failure) in
      func each(_ elements: Elements) throws(Failure) -> [Object] {
        try elements.array.map { (element) throws(Failure) in try sorted(element) }
      }
      switch object {
      case .list(let elements): return try .list(each(elements))
      case .tuple(let elements): return try .tuple(each(elements))
      case .dictionary(let dictionary):
        var pairs = dictionary.pairs
        if pairs.allSatisfy({ $0.key.text != nil }) || pairs.allSatisfy({ $0.key.number != nil }) {
          pairs = try Sorting.sorted(pairs, by: { (pair) throws(Failure) in pair.key }, isReversed: false, interpreter)
        }
        return .dictionary(try Dictionary(pairs.map { (pair) throws(Failure) in (pair.key, try sorted(pair.value)) }))
      default: return object
      }
    }
  }

  private func repr(_ object: Object) throws(Failure) -> Text {
    var printer = Printer(interpreter)
    try printer.write(object, asRepr: true)
    return Text(bytes: printer.bytes)
  }

  private mutating func write(_ other: Text) throws(Failure) {
    text.append(other)
    try interpreter.checkLength(text.bytes.count)
  }

  private static func newline(_ indent: Int) -> Text { Text("\n" + String(repeating: " ", count: indent)) }

  /// - Parameters:
  ///   - indent: the column at which the object begins.
  ///   - allowance: what must have room behind it on its last line.
  private mutating func write(_ object: Object, indent: Int, allowance: Int, level: Int) throws(Failure) {
    let whole = try repr(object)
    guard whole.count > Self.width - indent - allowance else { return try write(whole) }
    switch object {
    case .list(let elements): try write(elements, "[", "]", indent: indent, allowance: allowance, level: level)
    case .tuple(let elements):
      let close: Text = elements.array.count == 1 ? ",)" : ")"
      try write(elements, "(", close, indent: indent, allowance: allowance, level: level)
    case .dictionary(let dictionary):
      try write("{")
      for (index, (key, value)) in dictionary.pairs.enumerated() {
        if index > 0 { try write("," + Self.newline(indent + 1)) }
        let key = try repr(key)
        try write(key + ": ")
        try writeNested(
          value, indent: indent + key.count + 3, allowance: index == dictionary.count - 1 ? allowance + 1 : 1,
          level: level + 1)
      }
      try write("}")
    case .string(let string):
      try write(string, whole: whole, indent: indent, allowance: allowance, isOutermost: level == 1)
    default: try write(whole)
    }
  }

  private mutating func writeNested(_ object: Object, indent: Int, allowance: Int, level: Int) throws(Failure) {
    try interpreter.nested { () throws(Failure) in
      try write(object, indent: indent, allowance: allowance, level: level)
    }
  }

  private mutating func write(
    _ elements: Elements, _ open: Text, _ close: Text, indent: Int, allowance: Int, level: Int
  ) throws(Failure) {
    try write(open)
    for (index, element) in elements.array.enumerated() {
      if index > 0 { try write("," + Self.newline(indent + 1)) }
      let isLast = index == elements.array.count - 1
      try writeNested(element, indent: indent + 1, allowance: isLast ? allowance + close.count : 1, level: level + 1)
    }
    try write(close)
  }

  /// A string as several that Python joins, cut behind newlines and before words.
  private mutating func write(
    _ string: Text, whole: Text, indent: Int, allowance: Int, isOutermost: Bool
  ) throws(Failure) {
    let indent = isOutermost ? indent + 1 : indent
    let allowance = isOutermost ? allowance + 1 : allowance
    let room = Self.width - indent
    var chunks: [Text] = []
    let lines = string.lines(keepingEnds: true)
    for (index, line) in lines.enumerated() {
      let isLast = index == lines.count - 1
      let rep = Printer.repr(line)
      if rep.count <= (isLast ? room - allowance : room) {
        chunks.append(rep)
        continue
      }
      var current = Text("")
      let words = Self.words(line)
      for (place, word) in words.enumerated() {
        let candidate = current + word
        if Printer.repr(candidate).count > (isLast && place == words.count - 1 ? room - allowance : room) {
          if !current.isEmpty { chunks.append(Printer.repr(current)) }
          current = word
        } else {
          current = candidate
        }
      }
      if !current.isEmpty { chunks.append(Printer.repr(current)) }
    }
    if chunks.count == 1 { return try write(chunks[0]) }
    if isOutermost { try write("(") }
    for (index, chunk) in chunks.enumerated() { try write(index > 0 ? Self.newline(indent) + chunk : chunk) }
    if isOutermost { try write(")") }
  }

  /// Words with the white space behind them.
  private static func words(_ line: Text) -> [Text] {
    var words: [Text] = []
    var word = Text("")
    var isInside = true
    for scalar in line.scalars {
      if !isInside, !scalar.isSpace {
        words.append(word)
        word = ""
      }
      isInside = !scalar.isSpace
      word.append(scalar)
    }
    return words + [word]
  }
}
