/// Cuts a template into tokens by Jinja's rules with trim_blocks and lstrip_blocks: the line break after a block tag
/// or comment is dropped, and so is the white space before one that opens a line; `-` strips all white space on its
/// side, `+` keeps it.
struct Lexer {
  private let source: [Unicode.Scalar]
  private var position = 0
  private var line = 1
  private var tokens: [Token] = []
  /// Whether `position` is at the start of a line, or just behind a token that took the line break with it.
  private var startsLine = true

  static func tokens(of source: String) throws(Failure) -> [Token] {
    guard source.utf8.count <= Limits.source else {
      throw Failure("the template is larger than \(Limits.source) bytes", line: 1)
    }
    var lexer = Lexer(source)
    try lexer.run()
    return lexer.tokens
  }

  /// Every line break becomes "\n", and one at the very end is dropped.
  private init(_ source: String) {
    var scalars: [Unicode.Scalar] = []
    for scalar in source.unicodeScalars {
      if scalar == "\n", scalars.last == "\r" { scalars.removeLast() }
      scalars.append(scalar)
    }
    for index in scalars.indices where scalars[index] == "\r" { scalars[index] = "\n" }
    if scalars.last == "\n" { scalars.removeLast() }
    self.source = scalars
  }

  private func at(_ offset: Int) -> Unicode.Scalar? {
    position + offset < source.count ? source[position + offset] : nil
  }

  private func starts(with word: StaticString, at start: Int) -> Bool {
    let count = word.utf8CodeUnitCount
    guard source.count - start >= count else { return false }
    return (0..<count).allSatisfy { source[start + $0].value == UInt32(word.utf8Start[$0]) }
  }

  private mutating func advance(to end: Int) {
    for index in position..<end where source[index] == "\n" { line += 1 }
    if end > position { startsLine = source[end - 1] == "\n" }
    position = end
  }

  private mutating func skipSpace() {
    var end = position
    while end < source.count, source[end].isSpace { end += 1 }
    advance(to: end)
  }

  private mutating func add(_ kind: Token.Kind) { tokens.append(Token(kind: kind, line: line)) }

  private mutating func run() throws(Failure) {
    while let tag = nextTag() {
      if source[tag + 1] == "{" {
        text(until: tag, sign: at(tag + 2 - position), keepsIndent: true)
        advance(to: tag + 2)
        if at(0) == "-" || at(0) == "+" { advance(to: position + 1) }
        add(.variableBegin)
        try inside(isBlock: false)
      } else if source[tag + 1] == "#" {
        text(until: tag, sign: at(tag + 2 - position), keepsIndent: false)
        try comment(tag)
      } else if let end = rawBegin(tag) {
        text(until: tag, sign: at(tag + 2 - position), keepsIndent: false)
        try raw(bodyStart: end)
      } else {
        text(until: tag, sign: at(tag + 2 - position), keepsIndent: false)
        advance(to: tag + 2)
        if at(0) == "-" || at(0) == "+" { advance(to: position + 1) }
        add(.blockBegin)
        try inside(isBlock: true)
      }
    }
    if position < source.count {
      add(.data(Text(scalars: source[position...])))
      advance(to: source.count)
    }
    add(.end)
  }

  private func nextTag() -> Int? {
    var index = position
    while index + 1 < source.count {
      if source[index] == "{", source[index + 1] == "{" || source[index + 1] == "%" || source[index + 1] == "#" {
        return index
      }
      index += 1
    }
    return nil
  }

  /// The text before a tag, stripped as the tag's sign says.
  private mutating func text(until end: Int, sign: Unicode.Scalar?, keepsIndent: Bool) {
    var stop = end
    if sign == "-" {
      while stop > position, source[stop - 1].isSpace { stop -= 1 }
    } else if sign != "+", !keepsIndent {
      var start = stop
      while start > position, source[start - 1] != "\n" { start -= 1 }
      let opensLine = start > position || startsLine
      if opensLine, source[start..<stop].allSatisfy(\.isSpace) { stop = start }
    }
    if stop > position { add(.data(Text(scalars: source[position..<stop]))) }
    advance(to: end)
  }

  private mutating func comment(_ tag: Int) throws(Failure) {
    let opening = line
    var end = tag + 2
    while end + 1 < source.count, !(source[end] == "#" && source[end + 1] == "}") { end += 1 }
    guard end + 1 < source.count else { throw Failure("a comment without its closing '#}'", line: opening) }
    let sign = end > tag + 2 ? source[end - 1] : nil
    advance(to: end + 2)
    finishBlock(sign: sign)
  }

  /// Behind the closing of a block tag or comment.
  private mutating func finishBlock(sign: Unicode.Scalar?) {
    if sign == "-" {
      skipSpace()
    } else if sign != "+", at(0) == "\n" {
      advance(to: position + 1)
    }
  }

  /// Where the text of a raw block begins whose tag stands at `tag`.
  private func rawBegin(_ tag: Int) -> Int? {
    guard let (end, sign) = wholeTag("raw", at: tag), sign != "+" else { return nil }
    var start = end
    if sign == "-" { while start < source.count, source[start].isSpace { start += 1 } }
    return start
  }

  /// The end of the tag `{% word %}` at `tag`, and its closing sign.
  private func wholeTag(_ word: StaticString, at tag: Int) -> (end: Int, sign: Unicode.Scalar?)? {
    guard starts(with: "{%", at: tag) else { return nil }
    var index = tag + 2
    func skip() { while index < source.count, source[index].isSpace { index += 1 } }
    if index < source.count, source[index] == "-" || source[index] == "+" { index += 1 }
    skip()
    guard starts(with: word, at: index) else { return nil }
    index += word.utf8CodeUnitCount
    skip()
    var sign: Unicode.Scalar?
    if index < source.count, source[index] == "-" || source[index] == "+" {
      sign = source[index]
      index += 1
    }
    return starts(with: "%}", at: index) ? (index + 2, sign) : nil
  }

  private mutating func raw(bodyStart: Int) throws(Failure) {
    let opening = line
    advance(to: bodyStart)
    var tag = position
    while tag < source.count {
      if let (end, sign) = wholeTag("endraw", at: tag) {
        text(until: tag, sign: tag + 2 < source.count ? source[tag + 2] : nil, keepsIndent: false)
        advance(to: end)
        finishBlock(sign: sign)
        return
      }
      tag += 1
    }
    throw Failure("'raw' without its 'endraw'", line: opening)
  }

  /// The tokens of a tag, up to and with its end.
  private mutating func inside(isBlock: Bool) throws(Failure) {
    let opening = line
    var brackets: [(close: Unicode.Scalar, line: Int)] = []
    while let scalar = at(0) {
      if brackets.isEmpty {
        var sign: Unicode.Scalar?
        var end = position
        if scalar == "-" || (isBlock && scalar == "+") {
          sign = scalar
          end += 1
        }
        if isBlock ? starts(with: "%}", at: end) : starts(with: "}}", at: end) {
          add(isBlock ? .blockEnd : .variableEnd)
          advance(to: end + 2)
          if isBlock { finishBlock(sign: sign) } else if sign == "-" { skipSpace() }
          return
        }
      }
      if scalar.isSpace {
        skipSpace()
      } else if ("0"..."9").contains(scalar) {
        try number()
      } else if scalar.isWord {
        try name()
      } else if scalar == "'" || scalar == "\"" {
        try string(quote: scalar)
      } else {
        let symbol = try symbol()
        switch symbol {
        case "(": brackets.append((")", line))
        case "[": brackets.append(("]", line))
        case "{": brackets.append(("}", line))
        case ")", "]", "}":
          guard let open = brackets.popLast() else { throw Failure("unexpected '\(symbol)'", line: line) }
          guard symbol == String(open.close) else {
            throw Failure("unexpected '\(symbol)', expected '\(open.close)'", line: line)
          }
        default: break
        }
        add(.symbol(symbol))
        advance(to: position + symbol.utf8.count)
      }
    }
    throw Failure("a tag without its closing '\(isBlock ? "%}" : "}}")'", line: opening)
  }

  private func symbol() throws(Failure) -> String {
    for symbol: StaticString in ["//", "**", "==", "!=", ">=", "<="] where starts(with: symbol, at: position) {
      return "\(symbol)"
    }
    let scalar = source[position]
    guard "+-/*%~[](){}><=.:|,;".unicodeScalars.contains(scalar) else {
      throw Failure("unexpected character '\(scalar)'", line: line)
    }
    return String(scalar)
  }

  private mutating func name() throws(Failure) {
    var end = position
    while end < source.count, source[end].isWord { end += 1 }
    let name = String(String.UnicodeScalarView(source[position..<end]))
    guard source[position] == "_" || source[position].properties.isXIDStart else {
      throw Failure("unexpected character '\(source[position])'", line: line)
    }
    add(.name(name))
    advance(to: end)
  }

  /// An integer (decimal, 0x, 0o, 0b) or a float; underscores may stand between digits.
  private mutating func number() throws(Failure) {
    let isAttribute = tokens.last?.kind == .symbol(".")
    func digits(from start: Int, _ isDigit: (Unicode.Scalar) -> Bool) -> Int {
      var end = start
      while end < source.count {
        if isDigit(source[end]) {
          end += 1
        } else if source[end] == "_", end > start, end + 1 < source.count, isDigit(source[end + 1]) {
          end += 2
        } else {
          break
        }
      }
      return end
    }
    func decimal(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
    func text(_ range: Range<Int>) -> String {
      String(String.UnicodeScalarView(source[range].filter { $0 != "_" }))
    }

    if source[position] == "0", let prefix = at(1), let radix = ["x": 16, "o": 8, "b": 2][String(prefix).lowercased()] {
      let start = position + (at(2) == "_" ? 3 : 2)
      let end = digits(from: start) { scalar in
        guard scalar.isASCII, let digit = Character(scalar).hexDigitValue else { return false }
        return digit < radix
      }
      if end > start {
        guard let value = Int(text(start..<end), radix: radix) else {
          throw Failure("an integer too large", line: line)
        }
        add(.integer(value))
        advance(to: end)
        return
      }
    }
    let whole = digits(from: position, decimal)
    if !isAttribute {
      var end = whole
      if end + 1 < source.count, source[end] == ".", decimal(source[end + 1]) { end = digits(from: end + 1, decimal) }
      if end < source.count, source[end] == "e" || source[end] == "E" {
        var exponent = end + 1
        if exponent < source.count, source[exponent] == "+" || source[exponent] == "-" { exponent += 1 }
        let stop = digits(from: exponent, decimal)
        if stop > exponent { end = stop }
      }
      if end > whole {
        guard let value = Double(text(position..<end)) else { throw Failure("not a number", line: line) }
        add(.float(value))
        advance(to: end)
        return
      }
    }
    let end = source[position] == "0" ? digits(from: position) { $0 == "0" } : whole
    guard let value = Int(text(position..<end)) else { throw Failure("an integer too large", line: line) }
    add(.integer(value))
    advance(to: end)
  }

  private mutating func string(quote: Unicode.Scalar) throws(Failure) {
    var end = position + 1
    while end < source.count, source[end] != quote { end += source[end] == "\\" ? 2 : 1 }
    guard end < source.count else { throw Failure("a string without its closing quote", line: line) }
    add(.string(try StringLiteral.text(source[(position + 1)..<end], line: line)))
    advance(to: end + 1)
  }
}
