import Data
import Foundation
import Testing
import Values

/// Loads a dataset from a file with this content, written for the occasion.
private func load(_ content: String, _ name: String) throws -> Dataset { try load(Array(content.utf8), name) }

private func load(_ content: [UInt8], _ name: String) throws -> Dataset {
  let directory = FileManager.default.temporaryDirectory.appendingPathComponent("grao-data-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: directory) }
  let file = directory.appendingPathComponent(name)
  try Foundation.Data(content).write(to: file)
  do { return try Dataset(path: file.path) } catch {
    // Messages start with the path; the tests compare what follows it.
    throw GRAOError(error.message.replacing(directory.path + "/", with: ""))
  }
}

private func complaint(_ content: String, _ name: String) throws -> String {
  try #require(throws: GRAOError.self) { try load(content, name) }.message
}

struct DatasetTests {
  @Test func jsonLines() throws {
    let data = try load("{\"a\": 1, \"b\": [\"x\"]}\r\n\n  \t\n{\"b\": null, \"a\": \"é\"}", "rows.jsonl")
    #expect(data.count == 2)
    #expect(data.rows.map { Value.table($0) } == [["a": 1, "b": ["x"]], ["b": nil, "a": "é"]])
    #expect(data.rows[1].keys == ["b", "a"])
    #expect(data.name(ofRow: 1).hasSuffix("rows.jsonl: row 2"))
  }

  @Test func jsonDocuments() throws {
    #expect(try load("[{\"a\": 1}, {\"a\": 2}]", "rows.json").rows.map { $0["a"] } == [1, 2])
    #expect(try load("{\"version\": 1, \"data\": [{\"a\": 3}]}", "ROWS.JSON").rows.map { $0["a"] } == [3])
  }

  @Test func csvCellsAreStrings() throws {
    let text = "\u{FEFF}q,answer\r\n\"say \"\"hi\"\", then\nleave\",007\n\n,\"\"\n é ,\"x\"\r\n"
    let data = try load(text, "rows.csv")
    #expect(
      data.rows.map { Value.table($0) } == [
        ["q": "say \"hi\", then\nleave", "answer": "007"], ["q": "", "answer": ""], ["q": " é ", "answer": "x"],
      ])
    #expect(try load("a\n1", "one.csv").rows.map { $0["a"] } == ["1"])
  }

  @Test(arguments: [
    ("rows.jsonl", "{\"a\": 1}\n\n{\"a\": }", "line 3: expected a JSON value"),
    ("rows.jsonl", "{\"a\": 1}\n[1]", "line 2: a row must be an object, not an array"),
    ("rows.jsonl", "{\"a\": 1} {\"a\": 2}", "line 1: expected the end of the JSON text"),
    ("rows.jsonl", " \n\n", "an empty dataset"),
    ("rows.json", "[]", "an empty dataset"),
    ("rows.json", "{\"data\": []}", "an empty dataset"),
    ("rows.json", "{\"rows\": []}", "expected an array of objects, or an object with such an array as \"data\""),
    ("rows.json", "[{\"a\": 1}, 2]", "row 2 must be an object, not an integer"),
    ("rows.json", "[{\"a\": 1},\n{", "line 2: expected a key"),
    ("rows.csv", "", "an empty dataset"),
    ("rows.csv", "a,b\n", "an empty dataset"),
    ("rows.csv", "a,b\n1,2\n\"\n\",4\n5\n", "line 5: 1 fields, but the header has 2"),
    ("rows.csv", "a,,b\n", "line 1: column 2 has no name"),
    ("rows.csv", "a,b,a\n", "line 1: two columns are named \"a\""),
    ("rows.csv", "a,b\n1,x\"y\"\n", "line 2: a quote inside a field that does not start with one"),
    ("rows.csv", "a,b\n1,\"x\"y\n", "line 2: expected ',' or the end of the line after a quoted field"),
    ("rows.csv", "a,b\n1,\"x\n\n", "line 2: a quoted field without its closing quote"),
    ("rows.txt", "x", "a dataset's file name must end in .jsonl, .json or .csv"),
  ])
  func aBrokenFileIsAnErrorWithItsLine(name: String, content: String, message: String) throws {
    #expect(try complaint(content, name) == "\(name): \(message)")
  }

  @Test func textThatIsNotUTF8IsAnError() throws {
    let error = try #require(throws: GRAOError.self) { try load([0x61, 0x0A, 0x62, 0xFF], "rows.csv") }
    #expect(error.message == "rows.csv: line 2: text that is not UTF-8")
    let lines = Array("{\"a\": \"b\"}\n{\"a\": \"".utf8) + [0xFF] + Array("\"}\n".utf8)
    let other = try #require(throws: GRAOError.self) { try load(lines, "rows.jsonl") }
    #expect(other.message == "rows.jsonl: line 2: text that is not UTF-8")
  }

  @Test func aMissingFileAndADirectoryAreErrors() throws {
    let missing = try #require(throws: GRAOError.self) { try Dataset(path: "/nowhere/rows.jsonl") }
    #expect(missing.message == "/nowhere/rows.jsonl: no such file")
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("grao-\(UUID().uuidString).json")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let error = try #require(throws: GRAOError.self) { try Dataset(path: directory.path) }
    #expect(error.message == "\(directory.path): a directory, not a file")
  }

  @Test func tenThousandRows() throws {
    let rows = (0..<10_000).map { "{\"prompt\": \"\($0) + 1 =\", \"reference\": \"\($0 + 1)\"}" }
    let data = try load(rows.joined(separator: "\n"), "rows.jsonl")
    #expect(data.count == 10_000)
    #expect(data.rows[9_999]["reference"] == "10000")
  }

  private func numbered(_ count: Int) throws -> Dataset {
    try Dataset(rows: (0..<count).map { Table([("n", .integer($0))]) }, source: "numbers")
  }

  private func numbers(_ data: Dataset) -> [Int] { data.rows.compactMap { $0["n"]?.integer } }

  @Test func filterAndMap() throws {
    let data = try numbered(10)
    let even = try data.filter { ($0["n"]?.integer ?? 0) % 2 == 0 }
    #expect(numbers(even) == [0, 2, 4, 6, 8])
    let squares = try even.map { Table([("n", .integer(($0["n"]?.integer ?? 0) * ($0["n"]?.integer ?? 0)))]) }
    #expect(numbers(squares) == [0, 4, 16, 36, 64])
    #expect(numbers(data) == Array(0..<10))
    let error = try #require(throws: GRAOError.self) { try data.filter { _ in false } }
    #expect(error.message == "numbers: the filter keeps no row")
    #expect(throws: CancellationError.self) { try data.map { _ in throw CancellationError() } }
  }

  @Test func splitPartsTheRowsByItsSeed() throws {
    let data = try numbered(101)
    let (first, second) = try data.split(fraction: 0.8, seed: 5)
    #expect(first.count == 81 && second.count == 20)
    #expect(Set(numbers(first) + numbers(second)) == Set(0..<101))
    #expect(numbers(first) != numbers(first).sorted())
    let again = try data.split(fraction: 0.8, seed: 5)
    #expect(numbers(again.first) == numbers(first) && numbers(again.second) == numbers(second))
    #expect(numbers(try data.split(fraction: 0.8, seed: 6).second) != numbers(second))
  }

  @Test func splitChoosesEveryRowEquallyOften() throws {
    let data = try numbered(10)
    var counts = [Int](repeating: 0, count: 10)
    for seed in UInt64(0)..<2_000 {
      for n in numbers(try data.split(fraction: 0.3, seed: seed).first) { counts[n] += 1 }
    }
    // 600 expected each, standard deviation √(2000 · 0.3 · 0.7) = 20.5.
    #expect(counts.allSatisfy { abs($0 - 600) < 90 })
  }

  @Test(arguments: [0, 1, -0.5, .nan, .infinity, 0.01, 0.99])
  func splitNeedsBothParts(fraction: Double) throws {
    let data = try numbered(10)
    #expect(throws: GRAOError.self) { try data.split(fraction: fraction, seed: 0) }
  }
}
