import Testing
import Values

private func parse(_ text: String) throws -> Value { try JSON.parse(text, source: "t.json") }

/// One document with every construct of the grammar.
private let document = #"""
  {"text": "a\"\\\/\b\f\n\r\tz\u00e9\ud83d\ude00é😀", "empty": "", "numbers": [0, -1, 12.5, -0.25e2, 1E+3, 2e-3],
   "words": [true, false, null, NaN, Infinity, -Infinity], "nested": {"a": [[], {}, [{"b": [1]}]]}}
  """#

struct JSONTests {
  @Test func everyConstructIsRead() throws {
    let value = try parse(document)
    #expect(value.table?.keys == ["text", "empty", "numbers", "words", "nested"])
    #expect(value["text"]?.string == "a\"\\/\u{8}\u{C}\n\r\tzé😀é😀")
    #expect(value["empty"]?.string == "")
    #expect(value["numbers"] == [0, -1, 12.5, -25.0, 1000.0, 0.002])
    let words = try #require(value["words"]?.array)
    #expect(words[0] == true && words[1] == false && words[2].isNull)
    #expect(words[3].number?.isNaN == true)
    #expect(words[4].number == .infinity && words[5].number == -.infinity)
    #expect(value["nested"]?["a"] == [[], [:], [["b": [1]]]])
  }

  @Test func everyProperPrefixIsAnErrorThatNamesItsSource() throws {
    let bytes = Array(document.utf8)
    _ = try JSON.parse(bytes, source: "t.json")
    for count in bytes.indices {
      let error = try #require(throws: GRAOError.self, "\(count) bytes") {
        try JSON.parse(bytes[..<count], source: "t.json")
      }
      #expect(error.message.hasPrefix("t.json: line "))
    }
  }

  /// Any one byte replaced by any of the bytes that mean something: an error, or a value that prints and reads back.
  @Test func aReplacedByteNeverCrashes() throws {
    let bytes = Array(document.replacing("NaN, Infinity, -Infinity", with: "1").utf8)
    var accepted = 0
    for index in bytes.indices {
      for byte in Array("\"\\{}[],:+-.0eEun \n".utf8) + [0, 0x1F, 0x80, 0xFF] {
        var changed = bytes
        changed[index] = byte
        guard let value = try? JSON.parse(changed, source: "") else { continue }
        accepted += 1
        let text = try JSON.print(value)
        #expect(try parse(text) == value, "byte \(index) as \(byte)")
      }
    }
    #expect(accepted > 100)
  }

  @Test(arguments: [
    ("", "line 1: expected a JSON value, found the end"),
    ("\n\n]", "line 3: expected a JSON value"),
    ("[1,]", "line 1: expected a JSON value"),
    ("[1 2]", "line 1: expected ',' or ']' in an array"),
    ("{\"a\" 1}", "line 1: expected ':' after the key \"a\""),
    ("{\"a\": 1 \"b\"}", "line 1: expected ',' or '}' after the value of \"a\""),
    ("{a: 1}", "line 1: expected a key"),
    ("01", "line 1: a number with a leading zero"),
    ("-", "line 1: expected a JSON value"),
    ("+1", "line 1: expected a JSON value"),
    (".5", "line 1: expected a JSON value"),
    ("1.", "line 1: expected a digit after the decimal point"),
    ("1e", "line 1: expected a digit in the exponent"),
    ("1 1", "line 1: expected the end of the JSON text"),
    ("tru", "line 1: expected a JSON value"),
    ("\"\u{1}\"", "line 1: a control character inside a string"),
    ("\"\\x\"", "line 1: an unknown escape in a string"),
    ("\"\\u12g4\"", "line 1: expected four hexadecimal digits after \\u"),
    ("\"\\u+123\"", "line 1: expected four hexadecimal digits after \\u"),
  ])
  func malformedTextIsAnError(text: String, message: String) throws {
    let error = try #require(throws: GRAOError.self) { try parse(text) }
    #expect(error.message == "t.json: " + message)
  }

  /// Whether or not the string has an escape, and in a key as well.
  @Test(arguments: ["{\"a\":\n \"x\u{FF}\"}", "[1,\n\"\\n\u{FF}\"]", "\n{\"\u{FF}\": 1}", "\n[\"\u{C3}\", 1]"])
  func textThatIsNotUTF8IsAnError(latin1: String) throws {
    let bytes = latin1.unicodeScalars.map { UInt8($0.value) }
    let error = try #require(throws: GRAOError.self) { try JSON.parse(bytes, source: "t.json") }
    #expect(error.message == "t.json: line 2: text that is not UTF-8")
  }

  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    let value = try parse(nested(256))
    #expect(try JSON.print(value) == nested(256))
    #expect(throws: GRAOError.self) { try parse(nested(257)) }
    #expect(throws: GRAOError.self) { try parse(String(repeating: "[", count: 100_000)) }
    #expect(throws: GRAOError.self) { try JSON.print(.array([.array([value])])) }
  }

  @Test func integersAreKeptApartFromOtherNumbers() throws {
    for (text, expected) in [
      ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min), ("0", 0), ("-0", 0),
    ] {
      guard case .integer(expected) = try parse(text) else {
        Issue.record("\(text) is not the integer \(expected)")
        continue
      }
    }
    // Beyond Int the value is the nearest number, as a fraction or exponent makes it one.
    for (text, expected) in [("9223372036854775808", 0x1p63), ("1.0", 1), ("1e2", 100), ("1e999", .infinity)] {
      guard case .number(expected) = try parse(text) else {
        Issue.record("\(text) is not the number \(expected)")
        continue
      }
    }
    #expect(try parse("1.0").integer == 1)
    #expect(try parse("1.5").integer == nil)
    #expect(try parse("NaN").integer == nil)
    #expect(try parse("1e300").integer == nil)
  }

  @Test func numbersPrintWithoutLoss() throws {
    var stream = RandomStream(seed: 7)
    var numbers: [Double] = [0, -0.0, 0.1, 1e-6, 1e16, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1 / 3]
    while numbers.count < 2000 {
      let number = Double(bitPattern: stream.next())
      if number.isFinite { numbers.append(number) }
    }
    for number in numbers {
      let text = try JSON.print(.number(number))
      guard case .number(let back) = try parse(text) else {
        Issue.record("\(text) is no number")
        continue
      }
      #expect(back.bitPattern == number.bitPattern, "\(text)")
    }
  }

  @Test func stringsPrintWithoutLoss() throws {
    var text = ""
    for scalar in 0..<0x300 { text.unicodeScalars.append(Unicode.Scalar(UInt32(scalar)) ?? " ") }
    text += "😀\u{2028}\u{FFFF}"
    #expect(try parse(JSON.print(.string(text))) == .string(text))
    #expect(try JSON.print("a\"\\\n\u{1}é") == #""a\"\\\n\u0001é""#)
  }

  @Test func loneSurrogatesBecomeReplacementCharacters() throws {
    #expect(try parse(#""\ud83d""#) == "\u{FFFD}")
    #expect(try parse(#""\ude00x""#) == "\u{FFFD}x")
    #expect(try parse(#""\ud83dA""#) == "\u{FFFD}A")
  }

  @Test func prettyTextReadsBackAndIsIndented() throws {
    let value: Value = ["a": [1, [], [:]], "b": ["c": "d"]]
    #expect(
      try JSON.print(value, pretty: true) == """
        {
          "a": [
            1,
            [],
            {}
          ],
          "b": {
            "c": "d"
          }
        }
        """)
    #expect(try JSON.print(value) == #"{"a": [1, [], {}], "b": {"c": "d"}}"#)
  }

  @Test func whatJSONCannotHoldIsAnError() {
    final class Host {}
    for value in [Value.number(.nan), .number(.infinity), .object(Host()), [1, .number(-.infinity)]] {
      #expect(throws: GRAOError.self) { try JSON.print(value) }
    }
  }

  @Test func aByteOrderMarkIsSkippedAndTheLastOfDuplicateKeysKept() throws {
    #expect(try parse("\u{FEFF}{\"a\": 1, \"b\": 2, \"a\": 3}") == ["a": 3, "b": 2])
  }
}

struct TableTests {
  @Test func keysKeepTheirFirstOrder() {
    var table = Table([("b", 1), ("a", 2), ("c", 3)])
    table["a"] = 4
    table["b"] = Optional.none
    table["b"] = 5
    #expect(table.keys == ["a", "c", "b"])
    #expect(table.map(\.value) == [4, 3, 5])
  }

  @Test func canonicallyEquivalentKeysAreDifferent() {
    let table = Table([("é", 1), ("e\u{301}", 2)])
    #expect(table.count == 2)
    #expect(table["é"] == 1 && table["e\u{301}"] == 2)
    #expect(Value.string("é") != .string("e\u{301}"))
  }

  /// Few keys and many are kept differently.
  @Test(arguments: [3, 8, 9, 10, 200]) func settingAndRemoving(count: Int) {
    var table = Table((0..<count).map { ("k\($0)", .integer($0)) })
    table["k1"] = 100
    table["k0"] = nil
    table["absent"] = nil
    table["k0"] = 200
    #expect(table.keys == (1..<count).map { "k\($0)" } + ["k0"])
    #expect(table.map(\.key) == table.keys)
    #expect(table.map(\.value) == [100] + (2..<count).map { .integer($0) } + [200])
    for (key, value) in table { #expect(table[key] == value) }
    for index in 0..<count { table["k\(index)"] = nil }
    #expect(table.isEmpty && table["k1"] == nil)
  }

  @Test func aTableEqualsAnotherInAnyOrder() {
    #expect(Value.table(Table([("a", 1), ("b", 2)])) == .table(Table([("b", 2.0), ("a", 1)])))
    #expect(Value.table(Table([("a", 1)])) != .table(Table([("a", 1), ("b", 2)])))
  }
}
