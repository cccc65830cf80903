import Foundation
import Sampling
import TestSupport
import Testing
import Tokenizers
import Values

/// Text in and out of models with a tokenizer.
@Suite(.machine) struct StopTests {
  static func options(_ change: (inout GenerationOptions) -> Void) -> GenerationOptions {
    var options = GenerationOptions()
    options.samples = 24
    options.maxNewTokens = 24
    options.seed = 5
    change(&options)
    return options
  }

  /// Random completions, and the same with a stop string: the same tokens up to the one that completes it, and the text
  /// before it. `cuts` tells a text's place in its own bytes.
  static func check(
    _ model: Model, _ prompt: Prompt, stops: [String], sourceLocation: SourceLocation = #_sourceLocation
  )
    throws -> Int
  {
    let tokenizer = try #require(model.tokenizer)
    let free = try model.generate([prompt], Self.options { _ in })[0]
    let stopped = try model.generate([prompt], Self.options { $0.stop = stops })[0]
    var found = 0
    for (free, stopped) in zip(free, stopped) {
      let spoken = free.ids.last.map { model.endOfSequence.contains($0) } == true ? free.ids.dropLast() : free.ids[...]
      // The shortest beginning whose text holds a stop string, by decoding every beginning anew.
      let end = (0...spoken.count).first { count in
        let text = tokenizer.decode(spoken.prefix(count))
        return stops.contains { text.contains($0) }
      }
      guard let end else {
        #expect(stopped.ids == free.ids && stopped.text == free.text, sourceLocation: sourceLocation)
        #expect(stopped.finishReason == free.finishReason, sourceLocation: sourceLocation)
        continue
      }
      found += 1
      let text = tokenizer.decode(spoken.prefix(end))
      let cut = stops.compactMap { text.range(of: $0)?.lowerBound }.min()
      #expect(stopped.ids == Array(spoken.prefix(end)), sourceLocation: sourceLocation)
      #expect(stopped.text == cut.map { String(text[..<$0]) }, sourceLocation: sourceLocation)
      #expect(stopped.finishReason == .stop, sourceLocation: sourceLocation)
      #expect(stopped.logprobs == Array(free.logprobs.prefix(end)), sourceLocation: sourceLocation)
    }
    return found
  }

  /// A token is a character here: stop strings of two and three span tokens.
  @Test(arguments: ["llama", "qwen3_moe"]) func acrossTokens(_ type: String) throws {
    let model = try Tiny.model(type)
    let texts = try model.generate(["1+1="], Self.options { _ in })[0].compactMap(\.text)
    #expect(texts.count == 24)
    for length in 1...3 {
      let middle = texts.filter { $0.count > 10 }.map { String($0.dropFirst(6).prefix(length)) }
      #expect(middle.count > 4)
      #expect(try Self.check(model, "1+1=", stops: Array(middle.prefix(1))) >= 1)
      #expect(try Self.check(model, "1+1=", stops: Array(middle.prefix(4))) >= 4)
      // One is the end of another: whoever is complete first ends the text, at the earliest beginning.
      #expect(try Self.check(model, "1+1=", stops: [middle[0], String(middle[0].dropFirst()) + "?"]) >= 1)
    }
    #expect(try Self.check(model, "1+1=", stops: ["this is never said"]) == 0)
  }

  /// A token is several characters here: a stop string may begin and end inside of tokens.
  @Test(arguments: ["gpt2", "llama3"]) func insideTokens(_ tokenizer: String) throws {
    let model = try Tiny.model("llama", "Tests/Fixtures/tokenizers/\(tokenizer)")
    var found = 0
    let texts = try model.generate(["Hello"], Self.options { _ in })[0].compactMap(\.text)
    for text in texts.prefix(8) {
      let ascii = text.split { !$0.isASCII }.map(String.init).filter { $0.count > 5 }
      for part in ascii.prefix(2) {
        let middle = part.dropFirst(1).prefix(4)
        found += try Self.check(model, "Hello", stops: [String(middle)])
      }
    }
    #expect(found > 8)
  }

  /// Whether it is a special token, which decoding leaves out, or 24, the full stop.
  @Test(arguments: [Int32(1), 24]) func theEndIsNotInTheText(_ end: Int32) throws {
    let model = try Tiny.model("llama", end: Int(end))
    let tokenizer = try #require(model.tokenizer)
    let completions = try model.generate(["12+34=", "7*8="], Self.options { $0.samples = 100 }).joined()
    #expect(completions.count { $0.finishReason == .stop } > 10)
    #expect(completions.count { $0.finishReason == .length } > 10)
    for completion in completions {
      let ended = completion.finishReason == .stop
      #expect(completion.ids.last == end || !ended)
      #expect(!completion.ids.dropLast().contains(end))
      #expect(completion.text == tokenizer.decode(ended ? completion.ids.dropLast() : completion.ids[...]))
      #expect(completion.text?.contains(tokenizer.decode([end], skipSpecialTokens: false)) == false)
      #expect(completion.logprobs.count == completion.ids.count)
    }
  }

  @Test func textBecomesIds() throws {
    let model = try Tiny.model("llama")
    #expect(try model.encode(Prompt.text("12+3=")) == [6, 7, 15, 8, 19])
    // What the model should say ends with the end of the sequence.
    #expect(try model.encode(.text("15"), after: .text("12+3=")).ids == [6, 10, 1])
    #expect(try model.encode(.ids([6, 10]), after: .text("12+3=")).ids == [6, 10])
    let text = try model.logProbabilities(of: "15", after: "12+3=")
    #expect(text.count == 3)
    #expect(text == (try model.logProbabilities(of: .ids([6, 10, 1]), after: .ids([6, 7, 15, 8, 19]))))
    #expect(throws: GRAOError.self) { try model.logits("") }
  }

  @Test func greedyIsTheSameEachTime() throws {
    let model = try Tiny.model("qwen3_moe")
    func greedy(_ seed: UInt64) throws -> [[[Int32]]] {
      try model.generate(
        ["1+1=", "23-4="],
        Self.options {
          $0.temperature = 0
          $0.samples = 2
          $0.seed = seed
        }
      ).map { $0.map(\.ids) }
    }
    let first = try greedy(1)
    #expect(first == (try greedy(2)))
    for (samples, prompt) in zip(first, ["1+1=", "23-4="]) {
      #expect(samples[0] == samples[1])
      // Each token is the one that the logits before it favour.
      var ids = try model.encode(Prompt.text(prompt))
      for token in samples[0] {
        let logits = try model.logits(.ids(ids))
        #expect(logits.firstIndex(of: logits.max() ?? 0) == Int(token))
        ids.append(token)
      }
    }
  }

  /// More samples than run at once: all are there, in their places.
  @Test func manySamples() throws {
    let model = try Tiny.model("llama")
    func samples(_ count: Int) throws -> [[String?]] {
      try model.generate(["1+1=", "2+2=", "3+3="], Self.options { $0.samples = count }).map { $0.map(\.text) }
    }
    let (few, many) = (try samples(5), try samples(131))
    #expect(many.map(\.count) == [131, 131, 131])
    for (few, many) in zip(few, many) { #expect(Array(many.prefix(5)) == few) }
    #expect(Set(many.joined().compactMap { $0 }).count > 300)
    #expect(try model.generate([], Self.options { _ in }).isEmpty)
  }

  /// Each generation without a seed of its own takes the model's next stream.
  @Test func seedsOfAModel() throws {
    let (a, b) = (try Tiny.model("llama"), try Tiny.model("llama"))
    let seeds = [a.nextSeed(), a.nextSeed(), b.nextSeed(), b.nextSeed()]
    #expect(seeds[0] != seeds[1] && seeds[0] == seeds[2] && seeds[1] == seeds[3])
  }

  @Test func progressMayStop() throws {
    struct Enough: Error {}
    let model = try Tiny.model("llama")
    var tokens = 0
    #expect(throws: Enough.self) {
      try model.generate(["1"], Self.options { $0.samples = 4 }) {
        tokens += $0
        if tokens > 20 { throw Enough() }
      }
    }
    #expect(tokens > 20 && tokens <= 24)
    // And the model goes on as if nothing had been.
    tokens = 0
    let all = try model.generate(["1"], Self.options { $0.samples = 4 }) { tokens += $0 }
    #expect(tokens == all[0].reduce(0) { $0 + $1.ids.count })
  }

  @Test func mistakes() throws {
    let model = try Model.load(Fixtures.model("llama"))
    for call: () throws -> Void in [
      { _ = try model.generate([.ids([5])], Self.options { $0.stop = ["a"] }) }, { _ = try model.generate(["a"]) },
      { _ = try model.logProbabilities(of: "a", after: .ids([5])) },
    ] {
      let error = try #require(throws: GRAOError.self) { try call() }
      #expect(error.message.hasSuffix("needs a tokenizer, which this model lacks: give ids instead"))
    }
    let small = try #require(throws: GRAOError.self) {
      var config = try #require(Fixtures.json("models/llama/config.json").table)
      config["vocab_size"] = 79
      _ = try Model(
        configuration: config, tokenizer: Tokenizer.load(directory: Fixtures.root + "/scripts/arithmetic-tokenizer"))
    }
    #expect(small.message == "config: config key 'vocab_size' is 79, but the tokenizer has 80 tokens")
  }
}
