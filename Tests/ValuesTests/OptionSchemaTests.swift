import Testing
import Values

private final class Model {}

private var train: OptionSchema {
  OptionSchema(
    owner: "grao.train",
    [
      OptionDeclaration("model", .object("a model"), "the policy", required: true),
      OptionDeclaration("method", .string, "the method", choices: ["sft", "grao"]),
      OptionDeclaration("group_size", .integer, default: 8, "completions per prompt", minimum: 1),
      OptionDeclaration("temperature", .number, default: 0.7, "of sampling", minimum: 0, maximum: 100),
      OptionDeclaration("stop", .oneOf([.string, .array(of: .string)]), "stop strings"),
      OptionDeclaration(
        "optimizer",
        .nested(
          OptionSchema(
            owner: "optimizer",
            [
              OptionDeclaration("learning_rate", .schedule, default: 1e-6, "step size", minimum: 0),
              OptionDeclaration(
                "betas", .array(of: .number, count: 2), default: [0.9, 0.999], "decay of moments", minimum: 0,
                maximum: 1
              ),
            ])), default: [:], "AdamW"),
      OptionDeclaration("shuffle", .boolean, default: true, "row order"),
    ])
}

/// What validation says of options written as JSON, nil where it accepts them.
private func complaint(_ json: String, model: Bool = true) throws -> String? {
  var table = try JSON.parse(json, source: "test").table ?? Table()
  if model, table["model"] == nil { table["model"] = .object(Model()) }
  do {
    _ = try train.validate(table)
    return nil
  } catch { return error.message }
}

struct OptionSchemaTests {
  @Test func defaultsAreFilledInTheOrderOfDeclarations() throws {
    let result = try train.validate(Table([("shuffle", false), ("model", .object(Model())), ("method", nil)]))
    #expect(result.keys == ["model", "group_size", "temperature", "optimizer", "shuffle"])
    #expect(result["group_size"] == 8)
    #expect(result["shuffle"] == false)
    #expect(result["optimizer"] == ["learning_rate": 1e-6, "betas": [0.9, 0.999]])
  }

  @Test func anIntegerMayBeWrittenAsANumberWithoutFraction() throws {
    let result = try train.validate(Table([("model", .object(Model())), ("group_size", 4.0)]))
    guard case .integer(4)? = result["group_size"] else {
      Issue.record("not an integer: \(String(describing: result["group_size"]))")
      return
    }
  }

  @Test func anEmptyScriptTableIsAnArrayOrATable() throws {
    #expect(try complaint(#"{"stop": {}}"#) == nil)
    #expect(try complaint(#"{"optimizer": []}"#) == nil)
  }

  @Test(arguments: [
    (#"{"group_sise": 8}"#, "unknown option 'group_sise' (did you mean 'group_size'?)"),
    (
      #"{"zzz": 8}"#,
      "unknown option 'zzz'; the options are model, method, group_size, temperature, stop, optimizer, shuffle"
    ),
    (#"{"group_size": "8"}"#, "option 'group_size' must be an integer, not a string"),
    (#"{"group_size": 2.5}"#, "option 'group_size' must be an integer, not 2.5"),
    (#"{"group_size": 0}"#, "option 'group_size' must be at least 1, not 0"),
    (#"{"temperature": "0.7"}"#, "option 'temperature' must be a number, not a string"),
    (#"{"temperature": 101}"#, "option 'temperature' must be between 0 and 100, not 101"),
    (#"{"temperature": NaN}"#, "option 'temperature' must be a finite number, not nan"),
    (#"{"temperature": Infinity}"#, "option 'temperature' must be a finite number, not inf"),
    (#"{"method": "ppp"}"#, "option 'method' must be one of 'sft', 'grao', not 'ppp'"),
    (#"{"stop": 3}"#, "option 'stop' must be a string or an array of elements, each a string, not 3"),
    (#"{"stop": ["a", 3]}"#, "option 'stop[2]' must be a string, not 3"),
    (#"{"optimizer": 3}"#, "option 'optimizer' must be a table, not 3"),
    (
      #"{"optimizer": {"learnin_rate": 1}}"#,
      "unknown option 'optimizer.learnin_rate' (did you mean 'learning_rate'?)"
    ),
    (
      #"{"optimizer": {"learning_rate": true}}"#,
      "option 'optimizer.learning_rate' must be a number or a schedule, not true"
    ),
    (#"{"optimizer": {"betas": [0.9]}}"#, "option 'optimizer.betas' must have 2 elements, not 1"),
    (#"{"optimizer": {"betas": [0.9, 1.5]}}"#, "option 'optimizer.betas[2]' must be between 0 and 1, not 1.5"),
    (#"{"model": 1}"#, "option 'model' must be a model, not 1"),
    (#"{"shuffle": 1}"#, "option 'shuffle' must be true or false, not 1"),
  ])
  func aWrongOptionIsNamed(options: String, message: String) throws {
    #expect(try complaint(options) == "grao.train: " + message)
  }

  @Test func aRequiredOptionMustBeThere() throws {
    #expect(try complaint("{}", model: false) == "grao.train: option 'model' is missing: a model is required")
  }

  @Test func aScheduleMayBeAHostObject() throws {
    let schedule = Model()
    let table = try train.validate(
      Table([
        ("model", .object(Model())), ("optimizer", .table(Table([("learning_rate", .object(schedule))]))),
      ]))
    #expect(table["optimizer"]?["learning_rate"]?.object === schedule)
  }

  @Test func aPluginDeclaresItsOptionsAsATable() throws {
    let declared: Value = [
      "ignore_case": ["type": "boolean", "default": false, "description": "…"],
      "scale": ["type": "number", "min": 0, "max": 2, "default": 1],
      "mode": ["type": "string", "choices": ["a", "b"], "required": true],
    ]
    let schema = try OptionSchema(owner: "plugin exact_match", declared: declared.table ?? Table())
    let result = try schema.validate(Table([("mode", "b")]))
    #expect(Value.table(result) == ["ignore_case": false, "scale": 1, "mode": "b"])
    let error = try #require(throws: GRAOError.self) { try schema.validate(Table([("mode", "a"), ("scale", 3)])) }
    #expect(error.message == "plugin exact_match: option 'scale' must be between 0 and 2, not 3")
  }

  @Test(arguments: [
    (#"{"type": "float"}"#, "plugin p: declaration of option 'x': option 'type' must be one of 'number', 'integer', "),
    (#"{"default": 1}"#, "plugin p: declaration of option 'x': option 'type' is missing"),
    ("3", "plugin p: the declaration of option 'x' must be a table, not an integer"),
    (
      #"{"type": "number", "mim": 1}"#,
      "plugin p: declaration of option 'x': unknown option 'mim' (did you mean 'min'?)"
    ),
    (#"{"type": "number", "default": "1"}"#, "plugin p: default: option 'x' must be a number, not a string"),
    (#"{"type": "string", "choices": []}"#, "plugin p: declaration of option 'x': option 'choices' must not be empty"),
    (#"{"type": "number", "max": 1, "default": 2}"#, "plugin p: default: option 'x' must be at most 1, not 2"),
  ])
  func aWrongDeclarationIsAnError(declared: String, message: String) throws {
    let table = Table([("x", try JSON.parse(declared, source: "test"))])
    let error = try #require(throws: GRAOError.self) { try OptionSchema(owner: "plugin p", declared: table) }
    #expect(error.message.hasPrefix(message), "\(error.message)")
  }
}

struct OptionReaderTests {
  @Test func readsWhatValidationLetsThrough() throws {
    let model = Model()
    let options = try train.read(Table([("model", .object(model)), ("stop", .array(["a", "b"]))]))
    #expect(try options.integer("group_size") == 8)
    #expect(try options.number("group_size") == 8)
    #expect(try options.nested("optimizer").numbers("betas") == [0.9, 0.999])
    #expect(try options.strings("stop") == ["a", "b"])
    #expect(try options.object("model", as: Model.self, "a model") === model)
    #expect(try options.optionalString("method") == nil)
    #expect(!options.has("method"))
  }

  @Test func theWrongTypeOrNameIsAnErrorThatNamesTheOption() throws {
    let options = OptionReader(
      owner: "f", table: Table([("a", "x"), ("t", .table(Table([("b", 1.5)]))), ("o", .object(Model()))]))
    func message(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return "no error"
    }
    #expect(message { _ = try options.integer("a") } == "f: option 'a' must be an integer, not a string")
    #expect(message { _ = try options.integer("b") } == "f: option 'b' is missing: an integer is required")
    #expect(message { _ = try options.nested("t").integer("b") } == "f: option 't.b' must be an integer, not a number")
    #expect(
      message { _ = try options.object("o", as: OptionBox.self, "a box") } == "f: option 'o' must be a box, not a Model"
    )
  }

  private final class OptionBox {}
}

struct SpellingTests {
  @Test func nearNamesAreFoundAndFarOnesAreNot() {
    let names = ["group_size", "steps", "seed", "eps"]
    #expect(Spelling.nearest(to: "gruop_size", among: names) == "group_size")
    #expect(Spelling.nearest(to: "Steps", among: names) == "steps")
    #expect(Spelling.nearest(to: "sed", among: names) == "seed")
    #expect(Spelling.nearest(to: "temperature", among: names) == nil)
    #expect(Spelling.nearest(to: "", among: names) == nil)
    #expect(Spelling.nearest(to: "x", among: []) == nil)
  }
}
