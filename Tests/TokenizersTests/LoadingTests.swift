import Foundation
import Testing
import Tokenizers
import Values

@Suite struct LoadingTests {
  private func temporaryFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("grao-tokenizer-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  private func write(_ files: [(name: String, bytes: [UInt8])], _ folder: URL) throws {
    for file in files { try Data(file.bytes).write(to: folder.appendingPathComponent(file.name)) }
  }

  @Test func filesAreCarriedAlong() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let tokenizer = try Fixtures.tokenizer("qwen2")
    let files = tokenizer.files()
    #expect(files.map(\.name) == ["tokenizer.json", "tokenizer_config.json"])
    for file in files {
      #expect(try Data(contentsOf: URL(fileURLWithPath: "\(Fixtures.folder)/qwen2/\(file.name)")) == Data(file.bytes))
    }
    try write(files, folder)
    let again = try Tokenizer.load(directory: folder.path)
    try Fixtures.goldens("qwen2").check(again, "saved")
    #expect(again.eosTokenID == tokenizer.eosTokenID && again.chatTemplate == "{{ messages }}")
  }

  /// A tokenizer made of values writes them out.
  @Test func valuesBecomeFiles() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let json = try Fixtures.json("\(Fixtures.folder)/llama3/tokenizer.json")
    let config = Table([("eos_token", Value.table(Table([("content", "<|im_end|>")]))), ("bos_token", "<|im_start|>")])
    let tokenizer = try Tokenizer(json: json, config: config, source: "values")
    try write(tokenizer.files(), folder)
    let again = try Tokenizer.load(directory: folder.path)
    try Fixtures.goldens("llama3").check(again, "saved")
    #expect(again.token(of: try #require(again.eosTokenID)) == "<|im_end|>")
    #expect(again.token(of: try #require(again.bosTokenID)) == "<|im_start|>")
  }

  /// special_tokens_map.json names what tokenizer_config.json leaves out; chat_template.jinja goes before the latter's.
  @Test func filesBesideTheTokenizer() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try write(Fixtures.tokenizer("gpt2").files(), folder)
    try write(
      [
        ("special_tokens_map.json", Array(#"{"bos_token": "<|im_start|>", "eos_token": "<|endoftext|>"}"#.utf8)),
        ("chat_template.jinja", Array("{{ a }}\n".utf8)),
      ], folder)
    let tokenizer = try Tokenizer.load(directory: folder.path)
    #expect(tokenizer.eosTokenID == tokenizer.id(of: "<|im_end|>"))
    #expect(tokenizer.bosTokenID == tokenizer.id(of: "<|im_start|>"))
    #expect(tokenizer.chatTemplate == "{{ a }}\n")
    #expect(
      tokenizer.files().map(\.name) == [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja",
      ])
  }

  /// As with AutoTokenizer: tokens that the configuration names are added ones, and add_bos_token decides what goes
  /// around a text.
  @Test func configuration() throws {
    let json = try Fixtures.json("\(Fixtures.folder)/llama3/tokenizer.json")
    func tokenizer(_ pairs: [(String, Value)]) throws -> Tokenizer {
      try Tokenizer(json: json, config: Table(pairs), source: "test")
    }
    let size = try Int32(tokenizer([]).vocabularySize)
    let added = try tokenizer([
      ("pad_token", "<pad>"), ("additional_special_tokens", ["<x>"]),
      ("added_tokens_decoder", ["9000": ["content": "<y>", "special": false, "normalized": false]]),
    ])
    #expect(added.id(of: "<y>") == size && added.id(of: "<x>") == size + 1 && added.id(of: "<pad>") == size + 2)
    #expect(try added.encode("<y><x><pad>", addSpecialTokens: false) == [size, size + 1, size + 2])
    #expect(added.decode([size, size + 1, size + 2]) == "<y>")

    let start = try #require(added.id(of: "<|im_start|>"))
    let end = try #require(added.id(of: "<|im_end|>"))
    let specials: [(String, Value)] = [("bos_token", "<|im_start|>"), ("eos_token", "<|im_end|>")]
    #expect(try tokenizer(specials).encode("") == [start])
    #expect(try tokenizer(specials + [("add_bos_token", false)]).encode("") == [])
    #expect(try tokenizer(specials + [("add_eos_token", true)]).encode("") == [end])
    #expect(try tokenizer(specials + [("add_bos_token", true), ("add_eos_token", true)]).encode("") == [start, end])
    #expect(try tokenizer([("chat_template", ["default"])]).chatTemplate == nil)
    let named: Value = [["name": "tools", "template": "a"], ["name": "default", "template": "b"]]
    #expect(try tokenizer([("chat_template", named)]).chatTemplate == "b")
  }

  /// Each is refused with a line that names the place.
  @Test func refusals() throws {
    let sound: Value = ["type": "BPE", "vocab": ["a": 0, "b": 1, "ab": 2], "merges": ["a b"]]
    func message(_ change: (String, Value), model: Value = sound) -> String {
      do {
        var table = Table([("model", model)])
        table[change.0] = change.1
        _ = try Tokenizer(json: .table(table), config: nil, source: "x/tokenizer.json")
        return "none"
      } catch { return "\(error)" }
    }
    func model(_ key: String, _ value: Value) -> String {
      guard var table = sound.table else { return "no model" }
      table[key] = value
      return message(("version", "1.0"), model: .table(table))
    }
    #expect(message(("version", "1.0")) == "none")
    #expect(message(("normalizer", ["type": "X"])) == "x/tokenizer.json: normalizer: type 'X' is not supported")
    #expect(message(("pre_tokenizer", ["type": "X"])) == "x/tokenizer.json: pre_tokenizer: type 'X' is not supported")
    #expect(
      message(("pre_tokenizer", ["type": "Sequence", "pretokenizers": [["type": "UnicodeScripts"]]]))
        == "x/tokenizer.json: pre_tokenizer.pretokenizers[0]: type 'UnicodeScripts' is not supported")
    #expect(message(("post_processor", ["type": "X"])) == "x/tokenizer.json: post_processor: type 'X' is not supported")
    #expect(message(("decoder", ["type": "X"])) == "x/tokenizer.json: decoder: type 'X' is not supported")
    #expect(message(("decoder", [:])) == "x/tokenizer.json: decoder: type 'none' is not supported")
    #expect(message(("decoder", "X")) == "x/tokenizer.json: decoder: expected a table, found a string")
    #expect(message(("model", nil)) == "x/tokenizer.json: model: expected a table, found nothing")
    #expect(message(("added_tokens", [["id": 7]])).hasPrefix("x/tokenizer.json: added_tokens[0].content: expected"))
    #expect(message(("added_tokens", 3)) == "x/tokenizer.json: added_tokens: expected an array, found an integer")
    #expect(model("type", "Morse") == "x/tokenizer.json: model: type 'Morse' is not supported")
    #expect(model("type", "Unigram") == "x/tokenizer.json: model.vocab: expected an array of tokens with scores")
    #expect(model("type", "WordPiece") == "x/tokenizer.json: model.unk_token: expected a string, found nothing")
    let metaspace: Value = ["type": "Metaspace", "replacement": "_", "prepend_scheme": "last"]
    #expect(
      message(("pre_tokenizer", metaspace))
        == "x/tokenizer.json: pre_tokenizer.prepend_scheme: 'last' is not supported")
    let contradiction: Value = [
      "type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "add_prefix_space": false,
    ]
    #expect(
      message(("pre_tokenizer", contradiction))
        == "x/tokenizer.json: pre_tokenizer.add_prefix_space: false contradicts prepend_scheme 'first'")
    for (key, type) in [("pre_tokenizer", "FixedLength"), ("decoder", "CTC"), ("normalizer", "Precompile")] {
      #expect(message((key, ["type": .string(type)])) == "x/tokenizer.json: \(key): type '\(type)' is not supported")
    }
    #expect(
      message(("normalizer", ["type": "Sequence", "normalizers": [["type": "Replace", "content": ""]]]))
        == "x/tokenizer.json: normalizer.normalizers[0].pattern: expected a table, found nil")
    #expect(
      message(("normalizer", ["type": "Precompiled", "precompiled_charsmap": "AAAA"]))
        == "x/tokenizer.json: normalizer.precompiled_charsmap: expected a table in base64")
    #expect(
      message(("decoder", ["type": "Strip", "content": "ab", "start": 1, "stop": 0]))
        == "x/tokenizer.json: decoder.content: expected one character, found 'ab'")
    #expect(model("dropout", 0.1) == "x/tokenizer.json: model.dropout is not supported")
    #expect(model("merges", ["b a"]) == "x/tokenizer.json: model.merges[0]: 'ba' is not in the vocabulary")
    #expect(model("merges", ["a c"]) == "x/tokenizer.json: model.merges[0]: 'c' is not in the vocabulary")
    #expect(model("merges", ["a b c"]).hasPrefix("x/tokenizer.json: model.merges[0]: expected two tokens"))
    #expect(model("merges", nil) == "x/tokenizer.json: model.merges: expected an array")
    #expect(model("vocab", ["a": -1]).hasPrefix("x/tokenizer.json: model.vocab: the id of 'a' is not a whole number"))
    #expect(model("vocab", ["a": 1_000_000_000]).hasPrefix("x/tokenizer.json: model.vocab: the id of 'a'"))
    #expect(model("vocab", ["a": 1, "b": 1]).contains("which another token has too"))
    let split: Value = ["type": "Split", "pattern": ["Regex": "(a"], "behavior": "Isolated", "invert": false]
    #expect(
      message(("pre_tokenizer", split)).hasPrefix("x/tokenizer.json: pre_tokenizer: the pattern (a is not valid: end"))
  }

  /// Words that no token stands for need the unknown token.
  @Test func missingUnknownToken() throws {
    let json: Value = ["model": ["type": "WordLevel", "vocab": ["a": 0], "unk_token": "<u>"]]
    let tokenizer = try Tokenizer(json: json, config: nil, source: "test")
    #expect(try tokenizer.encode("a") == [0])
    do {
      _ = try tokenizer.encode("b")
      Issue.record("no error")
    } catch { #expect("\(error)" == "tokenizer: the model's unknown token is not in the vocabulary") }
  }

  /// Files from before tokenizers 0.15 have add_prefix_space alone; HF refuses its false without a scheme, and so do we.
  @Test func earlyMetaspace() throws {
    func ids(_ options: [(String, Value)]) throws -> [Int32] {
      let metaspace = Table([("type", "Metaspace"), ("replacement", "_")] + options)
      let json: Value = [
        "model": ["type": "WordLevel", "vocab": ["a": 0, "_a": 1], "unk_token": "a"],
        "pre_tokenizer": .table(metaspace),
      ]
      return try Tokenizer(json: json, config: nil, source: "test").encode("a a")
    }
    #expect(try ids([]) == [1, 1])
    #expect(try ids([("str_rep", "_"), ("add_prefix_space", true)]) == [1, 1])
    #expect(try ids([("add_prefix_space", false), ("prepend_scheme", "never")]) == [0, 1])
    #expect(try ids([("add_prefix_space", true), ("prepend_scheme", "never")]) == [0, 1])
    #expect(try ids([("add_prefix_space", true), ("prepend_scheme", "first")]) == [1, 1])
    for options in [[("add_prefix_space", false)], [("add_prefix_space", false), ("prepend_scheme", "first")]]
      as [[(String, Value)]]
    {
      let error = #expect(throws: GRAOError.self) { try ids(options) }
      #expect(error?.message.contains("add_prefix_space: false contradicts prepend_scheme") == true)
    }
    #expect(throws: GRAOError.self) { try ids([("replacement", "__")]) }
  }

  /// A decoder may be asked to strip more than there can be.
  @Test(arguments: [false, true]) func strippingWithoutEnd(isJoined: Bool) throws {
    let strip: Value = ["type": "Strip", "content": "_", "start": .integer(.max), "stop": .integer(.max)]
    let json: Value = [
      "model": ["type": "WordLevel", "vocab": ["__a_": 0, "b": 1], "unk_token": "b"],
      "decoder": ["type": "Sequence", "decoders": .array((isJoined ? [["type": "Fuse"]] : []) + [strip])],
    ]
    let tokenizer = try Tokenizer(json: json, config: nil, source: "test")
    #expect(tokenizer.decode([0, 1, 0]) == (isJoined ? "a_b__a" : "aba"))
  }

  /// A table of replacements whose entry for "a" begins inside an "é" replaces nothing: half a character is no text.
  @Test func aReplacementInsideACharacter() throws {
    var units = [UInt32](repeating: 0, count: 98)
    units[97] = 1 << 10 | 1 << 8 | 0x61
    units[96] = 1 << 31 | 1
    var table = Data()
    for word in [UInt32(4 * units.count)] + units {
      withUnsafeBytes(of: word.littleEndian) { table.append(contentsOf: $0) }
    }
    table.append(contentsOf: "é\0".utf8)
    let json: Value = [
      "normalizer": ["type": "Precompiled", "precompiled_charsmap": .string(table.base64EncodedString())],
      "pre_tokenizer": ["type": "WhitespaceSplit"],
      "model": ["type": "WordLevel", "vocab": ["a": 0, "b": 1], "unk_token": "b"],
    ]
    #expect(try Tokenizer(json: json, config: nil, source: "test").encode("a") == [0])
  }

  /// A pattern that runs over the bounds of the regular expression library is an error, and no hang.
  @Test func runawayPattern() throws {
    let json: Value = [
      "model": ["type": "BPE", "vocab": ["a": 0], "merges": []],
      "pre_tokenizer": [
        "type": "Split", "pattern": ["Regex": "(a|aa)+c"], "behavior": "Isolated", "invert": false,
      ],
    ]
    let tokenizer = try Tokenizer(json: json, config: nil, source: "test")
    #expect(try tokenizer.encode("aa") == [0, 0])
    #expect(throws: GRAOError.self) { try tokenizer.encode(String(repeating: "a", count: 100) + "bc") }
  }

  @Test func missingFiles() throws {
    #expect(throws: GRAOError.self) { try Tokenizer.load(directory: "/nonexistent") }
    do {
      _ = try Tokenizer.load(directory: "/nonexistent")
    } catch { #expect("\(error)" == "/nonexistent/tokenizer.json: no such file") }
  }
}
