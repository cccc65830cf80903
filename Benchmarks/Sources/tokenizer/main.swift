import Foundation
import Tokenizers

let usage = """
  Usage: tokenizer DIRECTORY [FILE…] [--rounds N] [--hard]

  Loads the tokenizer.json of DIRECTORY and encodes the text of each FILE on one core, as a whole and paragraph by
  paragraph, N times (default: 5). A line for each time, its columns set apart by tabs: what was done, bytes, ids, a
  checksum of the ids, seconds, and MB/s.

    --hard   also texts without word borders or with nothing else, of 1 and of 4 MB, and how many times as long the
             latter took: 4, where the time grows with the length
  """

/// Ends with a message on stderr.
func fail(_ message: String) -> Never {
  FileHandle.standardError.write(Data("tokenizer: \(message)\n".utf8))
  exit(2)
}

func seconds(_ body: () throws -> Void) rethrows -> Double {
  let (whole, fraction) = try ContinuousClock().measure(body).components
  return Double(whole) + Double(fraction) * 1e-18
}

/// The sum of every id times its place, from 1, modulo 2³².
func checksum(_ ids: [Int32]) -> UInt32 {
  var sum: UInt32 = 0
  for (index, id) in ids.enumerated() { sum &+= UInt32(bitPattern: id) &* UInt32(truncatingIfNeeded: index + 1) }
  return sum
}

/// Prints a line and gives the seconds it took.
@discardableResult
func measure(_ tokenizer: Tokenizer, _ texts: [String], _ name: String) throws -> Double {
  var ids: [Int32] = []
  let time = try seconds {
    for text in texts { ids += try tokenizer.encode(text, addSpecialTokens: false) }
  }
  let bytes = texts.reduce(0) { $0 + $1.utf8.count }
  let megabytes = Double(bytes) * 1e-6
  print(
    name, bytes, ids.count, checksum(ids), String(format: "%.6f", time),
    String(format: "%.1f", megabytes / time), separator: "\t")
  return time
}

/// What slows tokenizers that look at a place more than once; each as a unit to repeat.
func hardTexts(_ tokenizer: Tokenizer) -> [(name: String, unit: String)] {
  // Letters in no order that repeats soon, so that nothing is found in a cache.
  var state: UInt64 = 1
  let letters = (0..<(1 << 22)).map { _ -> UInt8 in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(ascii: "a") + UInt8((state >> 33) % 26)
  }
  let special = (0..<Int32(tokenizer.vocabularySize)).lazy.filter { tokenizer.isSpecial($0) }
    .compactMap { tokenizer.token(of: $0) }.max { $0.count < $1.count }
  return [
    ("almost a special token", special.map { String($0.dropLast()) } ?? "<"),
    ("one letter", "a"), ("pairs of letters", "ab"),
    ("a word of random letters", String(decoding: letters, as: UTF8.self)),
    ("spaces", " "), ("newlines", "\n"), ("spaces and newlines", " \n"), ("spaces and a letter", "       x"),
    ("digits", "7"), ("punctuation", "!"), ("apostrophes", "'"), ("angle brackets", "<|"), ("ideographs", "字"),
    ("combining marks", "\u{301}"), ("letters and marks", "a\u{301}"), ("emoji", "👩‍"),
    ("emoji of several", "👩‍👩‍👧‍👦"), ("a letter of another script", "ж"), ("capitals and letters", "Aa"),
  ]
}

var arguments = CommandLine.arguments.dropFirst()
var paths: [String] = []
var rounds = 5
var isHard = false
while let argument = arguments.popFirst() {
  switch argument {
  case "--help", "-h":
    print(usage)
    exit(0)
  case "--hard": isHard = true
  case "--rounds":
    guard let text = arguments.popFirst(), let count = Int(text), count > 0 else {
      fail("--rounds needs a number from 1")
    }
    rounds = count
  default:
    guard !argument.hasPrefix("-") else { fail("unknown option \"\(argument)\"; see --help") }
    paths.append(argument)
  }
}
guard let directory = paths.first else { fail("which tokenizer? See --help") }

do {
  let texts = try paths.dropFirst().map { ($0, try String(contentsOfFile: $0, encoding: .utf8)) }
  let bytes = FileManager.default.contents(atPath: "\(directory)/tokenizer.json")?.count ?? 0
  for _ in 0..<rounds {
    var tokenizer: Tokenizer?
    let time = try seconds { tokenizer = try Tokenizer.load(directory: directory) }
    guard let tokenizer else { continue }
    print(
      "load", bytes, tokenizer.vocabularySize, 0, String(format: "%.6f", time),
      String(format: "%.1f", Double(bytes) * 1e-6 / time), separator: "\t")
    for (name, text) in texts {
      try measure(tokenizer, [text], name)
      try measure(tokenizer, text.components(separatedBy: "\n\n"), "\(name) paragraphs")
    }
  }
  if isHard {
    let tokenizer = try Tokenizer.load(directory: directory)
    for (name, unit) in hardTexts(tokenizer) {
      let times = try [1 << 20, 1 << 22].map { length in
        let whole = String(repeating: unit, count: (length + unit.utf8.count - 1) / unit.utf8.count)
        let text = unit.utf8.count > length ? String(unit.prefix(length)) : whole
        // The better of two, for other work disturbs.
        return try min(measure(tokenizer, [text], name), measure(tokenizer, [text], name))
      }
      print("\(name): 4 MB take", String(format: "%.1f", times[1] / times[0]), "times as long as 1 MB")
    }
  }
} catch { fail("\(error)") }
