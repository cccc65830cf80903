/// What stands in a template: text, and the tokens of tags.
enum Token: Equatable {
  case text(String)
  case blockBegin, blockEnd
  case variableBegin, variableEnd
  case name(String)
  case string(String)
  case integer(Int)
  case number(Double)
  case symbol(String)
  case end
}

struct LocatedToken {
  let token: Token
  let line: Int
}

/// Cuts a template into tokens, by the rules of whitespace that transformers sets: the newline after a block tag is
/// dropped (trim_blocks), and so is what stands before one on its line, where that is blank (lstrip_blocks).
struct Lexer {
  private let scalars: [Unicode.Scalar]
  private var position = 0
  private var line = 1
  private var tokens: [LocatedToken] = []
  /// Whether the last thing read ended with a newline.
  private var isAtLineStart = true

  static func tokens(of source: String) throws -> [LocatedToken] {
    var lexer = Lexer(source)
    try lexer.run()
    return lexer.tokens
  }

  private init(_ source: String) {
    var scalars: [Unicode.Scalar] = []
    var afterReturn = false
    for scalar in source.unicodeScalars {
      if scalar != "\n" || !afterReturn { scalars.append(scalar == "\r" ? "\n" : scalar) }
      afterReturn = scalar == "\r"
    }
    if scalars.last == "\n" { scalars.removeLast() }
    self.scalars = scalars
  }

  // MARK: Text and tags

  private mutating func run() throws {
    while position < scalars.count {
      let begin = nextTag(from: position)
      let kind = begin < scalars.count ? scalars[begin + 1] : " "
      let sign = begin + 2 < scalars.count ? scalars[begin + 2] : " "
      text(until: begin, isVariable: kind == "{", sign: begin < scalars.count ? sign : "+")
      guard begin < scalars.count else { break }
      move(to: begin + 2 + (sign == "-" || sign == "+" ? 1 : 0))
      switch kind {
      case "#": try comment()
      case "%" where isWord("raw"): try raw()
      case "%": try tag(.blockBegin, .blockEnd, closing: "%")
      default: try tag(.variableBegin, .variableEnd, closing: "}")
      }
    }
    add(.end)
  }

  private func nextTag(from start: Int) -> Int {
    var index = start
    while index + 1 < scalars.count {
      if scalars[index] == "{", scalars[index + 1] == "{" || scalars[index + 1] == "%" || scalars[index + 1] == "#" {
        return index
      }
      index += 1
    }
    return scalars.count
  }

  /// Adds the text up to a tag, cut as the tag's sign says.
  private mutating func text(until end: Int, isVariable: Bool, sign: Unicode.Scalar) {
    var last = end
    if sign == "-" {
      while last > position, scalars[last - 1].properties.isWhitespace { last -= 1 }
    } else if sign != "+", !isVariable {
      var lineStart = end
      while lineStart > position, scalars[lineStart - 1] != "\n" { lineStart -= 1 }
      let isWholeLine = lineStart > position || isAtLineStart
      if isWholeLine, scalars[lineStart..<end].allSatisfy(\.properties.isWhitespace) { last = lineStart }
    }
    if last > position { add(.text(string(position..<last))) }
    move(to: end)
  }

  private mutating func comment() throws {
    let start = line
    while position + 1 < scalars.count, !(scalars[position] == "#" && scalars[position + 1] == "}") { step() }
    guard position + 1 < scalars.count else { throw TemplateFailure("a comment is not closed", line: start) }
    let sign = scalars[position - 1]
    move(to: position + 2)
    trim(after: sign, dropsNewline: true)
  }

  /// The text between {% raw %} and {% endraw %}, as it stands.
  private mutating func raw() throws {
    let start = line
    let (_, sign) = try closing("%")
    if sign == "-" { skipWhitespace() }
    var index = position
    while index + 1 < scalars.count {
      if scalars[index] == "{", scalars[index + 1] == "%" {
        let opening = index + 2 < scalars.count ? scalars[index + 2] : " "
        let inner = Lexer.skip(scalars, index + 2 + (opening == "-" || opening == "+" ? 1 : 0))
        if Lexer.matches(scalars, "endraw", at: inner) {
          text(until: index, isVariable: false, sign: opening)
          move(to: inner)
          let (_, sign) = try closing("%")
          return trim(after: sign, dropsNewline: true)
        }
      }
      index += 1
    }
    throw TemplateFailure("a raw block is not closed", line: start)
  }

  /// Moves past the word at hand and the end of its tag; says which sign stood before that.
  private mutating func closing(_ mark: Unicode.Scalar) throws -> (Int, Unicode.Scalar) {
    while position < scalars.count, scalars[position].properties.isWhitespace { step() }
    while position < scalars.count, Self.isNamePart(scalars[position]) { step() }
    while position < scalars.count, scalars[position].properties.isWhitespace { step() }
    var sign: Unicode.Scalar = " "
    if position < scalars.count, scalars[position] == "-" || scalars[position] == "+" {
      sign = scalars[position]
      step()
    }
    guard position + 1 < scalars.count, scalars[position] == mark, scalars[position + 1] == "}" else {
      throw TemplateFailure("a tag is not closed", line: line)
    }
    move(to: position + 2)
    return (position, sign)
  }

  private mutating func trim(after sign: Unicode.Scalar, dropsNewline: Bool) {
    if sign == "-" {
      skipWhitespace()
    } else if sign != "+", dropsNewline, position < scalars.count, scalars[position] == "\n" {
      step()
    }
    isAtLineStart = position > 0 && scalars[position - 1] == "\n"
  }

  // MARK: Inside a tag

  private mutating func tag(_ begin: Token, _ end: Token, closing mark: Unicode.Scalar) throws {
    let start = line
    add(begin)
    var depth = 0
    while true {
      skipWhitespace()
      guard position < scalars.count else { throw TemplateFailure("a tag is not closed", line: start) }
      let scalar = scalars[position]
      if depth == 0 {
        let signed = scalar == "-" || scalar == "+" && mark == "%"
        let at = position + (signed ? 1 : 0)
        if at + 1 < scalars.count, scalars[at] == mark, scalars[at + 1] == "}" {
          add(end)
          move(to: at + 2)
          return trim(after: signed ? scalar : " ", dropsNewline: mark == "%")
        }
      }
      if scalar == "\"" || scalar == "'" {
        try string(quote: scalar)
      } else if scalar.isASCII, scalar.properties.numericType != nil {
        try number()
      } else if Self.isNameStart(scalar) {
        let from = position
        while position < scalars.count, Self.isNamePart(scalars[position]) { step() }
        add(.name(string(from..<position)))
      } else {
        try symbol(&depth)
      }
    }
  }

  private static let symbols = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".",
    ":", "|", ",", ";",
  ]

  private mutating func symbol(_ depth: inout Int) throws {
    for symbol in Self.symbols where Self.matches(scalars, symbol, at: position) {
      if "([{".contains(symbol) { depth += 1 }
      if ")]}".contains(symbol) { depth = max(depth - 1, 0) }
      add(.symbol(symbol))
      return move(to: position + symbol.unicodeScalars.count)
    }
    throw TemplateFailure("unexpected character '\(scalars[position])'", line: line)
  }

  private mutating func number() throws {
    let from = position
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where Self.matches(scalars, prefix, at: position) {
      move(to: position + 2)
      let digits = position
      while position < scalars.count, scalars[position].properties.isASCIIHexDigit { step() }
      guard let integer = Int(string(digits..<position), radix: radix) else {
        throw TemplateFailure("the number \(string(from..<position)) is not valid", line: line)
      }
      return add(.integer(integer))
    }
    func isDigit(_ index: Int) -> Bool { index < scalars.count && ("0"..."9").contains(scalars[index]) }
    while isDigit(position) || position < scalars.count && scalars[position] == "_" && isDigit(position + 1) { step() }
    var isReal = false
    if position < scalars.count, scalars[position] == ".", isDigit(position + 1) {
      isReal = true
      step()
      while isDigit(position) { step() }
    }
    if position < scalars.count, scalars[position] == "e" || scalars[position] == "E" {
      let signed = position + 1 < scalars.count && (scalars[position + 1] == "-" || scalars[position + 1] == "+")
      if isDigit(position + (signed ? 2 : 1)) {
        isReal = true
        move(to: position + (signed ? 2 : 1))
        while isDigit(position) { step() }
      }
    }
    let text = string(from..<position).filter { $0 != "_" }
    if isReal, let number = Double(text) { return add(.number(number)) }
    guard let integer = Int(text) else { throw TemplateFailure("the number \(text) is too large", line: line) }
    add(.integer(integer))
  }

  private mutating func string(quote: Unicode.Scalar) throws {
    let start = line
    step()
    var text = String.UnicodeScalarView()
    while position < scalars.count, scalars[position] != quote {
      guard scalars[position] == "\\", position + 1 < scalars.count else {
        text.append(scalars[position])
        step()
        continue
      }
      step()
      try escape(into: &text)
    }
    guard position < scalars.count else { throw TemplateFailure("a string is not closed", line: start) }
    step()
    add(.string(String(text)))
  }

  /// Python's escapes.
  private mutating func escape(into text: inout String.UnicodeScalarView) throws {
    let scalar = scalars[position]
    step()
    func hexadecimal(_ digits: Int) throws -> Unicode.Scalar {
      let end = position + digits
      guard end <= scalars.count, let code = UInt32(string(position..<end), radix: 16),
        let scalar = Unicode.Scalar(code)
      else { throw TemplateFailure("a string has an escape that is not valid", line: line) }
      return scalar
    }
    switch scalar {
    case "n": text.append("\n")
    case "t": text.append("\t")
    case "r": text.append("\r")
    case "b": text.append("\u{8}")
    case "f": text.append("\u{C}")
    case "v": text.append("\u{B}")
    case "a": text.append("\u{7}")
    case "0": text.append("\0")
    case "\n": break
    case "\\", "'", "\"": text.append(scalar)
    case "x", "u", "U":
      let digits = scalar == "x" ? 2 : scalar == "u" ? 4 : 8
      text.append(try hexadecimal(digits))
      move(to: position + digits)
    default:
      text.append("\\")
      text.append(scalar)
    }
  }

  // MARK: Characters

  private static func isNameStart(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || scalar.properties.isXIDStart
  }
  private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || scalar.properties.isXIDContinue
  }

  private func isWord(_ word: String) -> Bool {
    let start = Self.skip(scalars, position)
    let end = start + word.unicodeScalars.count
    return Self.matches(scalars, word, at: start) && !(end < scalars.count && Self.isNamePart(scalars[end]))
  }

  private static func skip(_ scalars: [Unicode.Scalar], _ start: Int) -> Int {
    var index = start
    while index < scalars.count, scalars[index].properties.isWhitespace { index += 1 }
    return index
  }

  private static func matches(_ scalars: [Unicode.Scalar], _ word: String, at start: Int) -> Bool {
    var index = start
    for scalar in word.unicodeScalars {
      guard index < scalars.count, scalars[index] == scalar else { return false }
      index += 1
    }
    return true
  }

  private func string(_ range: Range<Int>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars[range])
    return String(view)
  }

  private mutating func step() {
    if scalars[position] == "\n" { line += 1 }
    isAtLineStart = scalars[position] == "\n"
    position += 1
  }

  private mutating func move(to end: Int) {
    while position < end, position < scalars.count { step() }
  }

  private mutating func skipWhitespace() {
    while position < scalars.count, scalars[position].properties.isWhitespace { step() }
  }

  private mutating func add(_ token: Token) { tokens.append(LocatedToken(token: token, line: line)) }
}
