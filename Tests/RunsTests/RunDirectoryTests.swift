import Foundation
import Runs
import Testing
import Values

/// Runs `body` with the path of a directory that does not exist yet, and removes it afterwards.
private func withPath(_ body: (String) throws -> Void) throws {
  let path = FileManager.default.temporaryDirectory.appending(path: "grao-run-\(UUID().uuidString)").path
  defer { try? FileManager.default.removeItem(atPath: path) }
  try body(path)
}

private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

private var options: Value { ["method": "grao", "steps": 2, "weights": ["imitation": 0.5]] }

struct RunDirectoryTests {
  @Test func itHoldsScriptOptionsAndMetrics() throws {
    try withPath { path in
      let run = try RunDirectory(
        creating: path + "/nested", script: ("a/b/align.lua", Array("print(1)\n".utf8)),
        options: options.table ?? Table())
      #expect(run.modelPath == path + "/nested/model")
      #expect(try text(run.path + "/align.lua") == "print(1)\n")
      #expect(try JSON.parse(text(run.path + "/options.json"), source: "options.json") == options)
      #expect(try text(run.path + "/metrics.jsonl") == "")
      try run.append(Table([("step", 1), ("rewards/exact/mean", 0.25)]))
      #expect(try text(run.path + "/metrics.jsonl") == "{\"step\": 1, \"rewards/exact/mean\": 0.25}\n")
      try run.append(Table([("step", 2)]))
      #expect(try text(run.path + "/metrics.jsonl").split(separator: "\n").count == 2)
    }
  }

  @Test func aMetricThatIsNotFiniteIsNamedAndLeavesNoLine() throws {
    try withPath { path in
      let run = try RunDirectory(creating: path, options: Table())
      let error = try #require(throws: GRAOError.self) {
        try run.append(Table([("step", 7), ("loss", .number(.nan))]))
      }
      #expect(error.message == "metrics: loss is nan at step 7")
      #expect(try text(path + "/metrics.jsonl") == "")
    }
  }

  @Test func anEmptyDirectoryIsTakenAndAnotherRefused() throws {
    try withPath { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      let first = try RunDirectory(creating: path, options: Table())
      try first.append(Table([("step", 1)]))
      let error = try #require(throws: GRAOError.self) { try RunDirectory(creating: path, options: Table()) }
      #expect(error.message == "run directory \(path): already holds a run; choose another run_dir, or remove it")
      #expect(try text(path + "/metrics.jsonl") == "{\"step\": 1}\n")
    }
    try withPath { path in
      try FileManager.default.createDirectory(atPath: path + "/thesis", withIntermediateDirectories: true)
      let error = try #require(throws: GRAOError.self) { try RunDirectory(creating: path, options: Table()) }
      #expect(error.message == "run directory \(path): is not empty; choose another run_dir, or remove it")
    }
  }

  @Test func whatCannotBeWrittenIsAnError() throws {
    try withPath { path in
      #expect(FileManager.default.createFile(atPath: path, contents: nil) == true)
      let file = try #require(throws: GRAOError.self) { try RunDirectory(creating: path, options: Table()) }
      #expect(file.message == "run directory \(path): a file of this name exists")
      let under = try #require(throws: GRAOError.self) { try RunDirectory(creating: path + "/run", options: Table()) }
      #expect(under.message == "run directory \(path)/run: cannot be written")
    }
    try withPath { path in
      final class Model {}
      #expect(throws: GRAOError.self) {
        try RunDirectory(creating: path, options: Table([("model", .object(Model()))]))
      }
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }
}
