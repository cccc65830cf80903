import Scripting
import Testing
import Values

/// The plugins of `plugins/`, through the real sandbox.
@Suite struct ShippedPluginTests {
  func load(_ name: String, _ options: Value = [:]) throws -> Plugin {
    try Plugin(name, options: options.table ?? Table(), on: PluginPath())
  }

  func score(_ name: String, _ options: Value, _ completion: Value, _ reference: Value = nil) throws -> Double? {
    try load(name, options).score(["completion": completion, "reference": reference]).value
  }

  @Test func allAreKnown() throws {
    let names = [
      "cosine_restarts", "difficulty_ladder", "dpo_objective", "exact_match", "format", "grao_objective",
      "grpo_objective", "judge", "length", "numeric_answer", "success_band",
    ]
    #expect(PluginPath().names == names)
    for name in names {
      let required: [String: Value] = [
        "cosine_restarts": ["from": 1, "period": 10], "difficulty_ladder": ["highest": 3], "format": ["pattern": "a"],
        "judge": ["url": "http://127.0.0.1:1/v1", "model": "m"], "length": ["max": 10],
      ]
      let plugin = try load(name, required[name] ?? [:])
      #expect(plugin.schema.declarations.allSatisfy { !$0.description.isEmpty })
    }
  }

  @Test func exactMatch() throws {
    #expect(try score("exact_match", [:], "  42\n", "42") == 1)
    #expect(try score("exact_match", [:], "42.", "42") == 0)
    #expect(try score("exact_match", [:], "Yes", "yes") == 0)
    #expect(try score("exact_match", ["ignore_case": true], "Yes", "yES") == 1)
    #expect(try score("exact_match", ["trim": false], "yes ", "yes") == 0)
    #expect(try score("exact_match", [:], "yes") == nil)
    #expect(try score("exact_match", [:], nil, "yes") == nil)
  }

  @Test func numericAnswer() throws {
    for (completion, reference, expected) in [
      ("12 + 30 = 42", "42", 1.0), ("It is 42.", "the answer: 42.0", 1), ("41", "42", 0), ("none", "42", 0),
      ("1,234,567", "1234567", 1), ("1,2,3", "3", 1), ("12,34", "34", 1), ("2024,100", "100", 1), ("1,2345", "2345", 1),
      ("-7", "7", 0), ("-7", "-7", 1), ("10-7", "7", 1), ("x-7", "7", 1), ("10 -7", "-7", 1), ("(-7)", "-7", 1),
      ("3.14", "3.14", 1), ("3.14.", "3.14", 1), ("v1.2.3", "3", 1), ("007", "7", 1),
      ("99999999999999999999", "99999999999999999999", 1),
    ] as [(Value, Value, Double)] {
      #expect(try score("numeric_answer", [:], completion, reference) == expected, "\(completion) for \(reference)")
    }
    #expect(try score("numeric_answer", [:], "42", "no number") == nil)
    #expect(try score("numeric_answer", [:], "42") == nil)
    #expect(try score("numeric_answer", ["tolerance": 0.5], "41.6", "42") == 1)
    #expect(try score("numeric_answer", ["tolerance": 0.5], "41.4", "42") == 0)
    #expect(try score("numeric_answer", ["missing": -1, "wrong": 0.1], "none", "42") == -1)
    #expect(try score("numeric_answer", ["missing": -1, "wrong": 0.1], "41", "42") == 0.1)
    #expect(try score("numeric_answer", ["correct": 2], "42", "42") == 2)
    let gold: Value = "5 * 8 = 40, so #### 40"
    #expect(try score("numeric_answer", ["marker": "####"], "#### 1 #### 40 is it", gold) == 1)
    #expect(try score("numeric_answer", ["marker": "####"], "40", gold) == 1)
    #expect(try score("numeric_answer", ["marker": "####", "require_marker": true], "40", gold) == 0)
    #expect(try score("numeric_answer", ["marker": "####"], "40 ####", gold) == 0)
  }

  @Test func format() throws {
    let pattern: Value = "<answer>%-?%d+</answer>"
    #expect(try score("format", ["pattern": pattern], " <answer>-42</answer>\n") == 1)
    #expect(try score("format", ["pattern": pattern], "so <answer>42</answer>") == 0)
    #expect(try score("format", ["pattern": pattern, "whole": false], "so <answer>42</answer>.") == 1)
    #expect(try score("format", ["pattern": pattern, "trim": false], " <answer>42</answer>") == 0)
    #expect(try score("format", ["pattern": pattern, "score": 0.5, "otherwise": -1], "x") == -1)
    #expect(try score("format", ["pattern": "^a-$"], "aaa") == 1)
    #expect(try score("format", ["pattern": "a-"], "aab") == 0)
    #expect(try score("format", ["pattern": "%d+%$"], "12$") == 1)
    #expect(try score("format", ["pattern": "%d+%%$"], "12%") == 1)
    #expect(try score("format", ["pattern": "%d+%%$"], "12%$") == 0)
    #expect(try score("format", ["pattern": "x"], nil) == nil)
    #expect(message { try score("format", ["pattern": "[a"], "x") }.contains("malformed pattern (missing ']')"))
  }

  @Test func length() throws {
    func tokens(_ options: Value, _ count: Int) throws -> Double? {
      try load("length", options).score(["ids": .array(Array(repeating: 1, count: count))]).value
    }
    #expect(try tokens(["max": 4, "min": 2], 2) == 0)
    #expect(try tokens(["max": 4, "min": 2], 4) == 0)
    #expect(try tokens(["max": 4, "penalty": 0.25], 6) == -0.5)
    #expect(try tokens(["max": 4, "min": 3, "penalty": 0.25], 1) == -0.5)
    #expect(try tokens(["max": 4, "penalty": 0.25], 100) == -1)
    #expect(try tokens(["max": 4, "penalty": 0.25, "most": 3], 100) == -3)
    #expect(try score("length", ["max": 2, "unit": "characters", "penalty": 0.5], "žlu") == -0.5)
    #expect(try score("length", ["max": 2, "unit": "characters"], nil) == nil)
    #expect(
      message { try tokens(["max": 1, "min": 2], 1) }
        == "plugin 'length': option 'min' must not be larger than option 'max'")
    #expect(message { try load("length") }.contains("option 'max' is missing"))
  }

  @Test func difficultyLadder() throws {
    let ladder = try load("difficulty_ladder", ["highest": 4, "reach": 0.8, "review": 0.5])
    func weights(_ progress: Double) throws -> [Double] {
      try [1, 2, 3, 4].map { try ladder.weight(row: ["level": $0], state: ["progress": .number(progress)]) }
    }
    #expect(try weights(0) == [1, 0, 0, 0])
    #expect(try weights(0.19) == [1, 0, 0, 0])
    #expect(try weights(0.21) == [0.5, 1, 0, 0])
    #expect(try weights(0.41) == [0.5, 0.5, 1, 0])
    #expect(try weights(0.61) == [0.5, 0.5, 0.5, 1])
    #expect(try weights(1) == [0.5, 0.5, 0.5, 1])
    #expect(
      message { try ladder.weight(row: [:], state: ["progress": 0]) }
        == "plugin 'difficulty_ladder': column 'level' must hold a number in every row, found nil")
    let at = try load("difficulty_ladder", ["highest": 2, "reach": 0, "column": "digits"])
    #expect(try at.weight(row: ["digits": 2], state: ["progress": 0]) == 1)
  }

  @Test func successBand() throws {
    let band = try load("success_band", ["low": 0.25, "high": 0.75, "width": 0.25, "floor": 0.5, "unseen": 3])
    func weight(_ mean: Value, seen: Int = 1) throws -> Double {
      try band.weight(row: ["seen": .integer(seen), "reward_mean": mean], state: [:])
    }
    #expect(try weight(nil, seen: 0) == 3)
    for (mean, expected) in [
      (0.25, 1.0), (0.5, 1), (0.75, 1), (0.125, 0.75), (0.875, 0.75), (0, 0.5), (1, 0.5), (-9, 0.5),
    ] {
      #expect(try weight(.number(mean)) == expected)
    }
    #expect(message { try load("success_band", ["low": 1, "high": 0]).weight(row: [:], state: [:]) }.contains("'low'"))
  }

  @Test func cosineRestarts() throws {
    func values(_ options: Value, _ steps: ClosedRange<Int>) throws -> [Double] {
      let schedule = try load("cosine_restarts", options)
      return try steps.map { try schedule.value(state: ["step": .integer($0)]) }
    }
    func near(_ found: [Double], _ expected: [Double]) -> Bool {
      found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-15 }
    }
    let half = 0.5.squareRoot() / 2
    #expect(try near(values(["from": 1, "period": 4], 1...6), [1, 0.5 + half, 0.5, 0.5 - half, 1, 0.5 + half]))
    #expect(try near(values(["from": 3, "to": 1, "period": 2, "decay": 0.5], 1...6), [3, 2, 1.5, 1.25, 0.75, 0.875]))
    #expect(
      try near(values(["from": 1, "period": 2, "stretch": 2], 1...7), [1, 0.5, 1, 0.5 + half, 0.5, 0.5 - half, 1]))
    #expect(try near(values(["from": 1, "period": 2], 1_000_000_001...1_000_000_001), [1]))
  }
}
