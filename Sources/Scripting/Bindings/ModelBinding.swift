import GRAO
import Values

/// Models and tokenizers as scripts see them.
enum ModelBinding {
  static func model(_ engine: ScriptEngine) -> LuaClass<Model> {
    LuaClass<Model>("grao.model")
      .description { "grao.model: \($0.architecture), \($0.parameterCount) parameters" }
      .field("tokenizer") { model in model.tokenizer.map { .object($0) } ?? .null }
      .method("info") { model, _ in
        try model.checkOpen()
        return [info(model)]
      }
      .method("logits") { model, call in
        [Convert.value(try model.logits(try Prompt(call[1], "argument 1 of \(call.name)")))]
      }
      .method("logprobs") { model, call in
        let prompt = try Prompt(call[1], "argument 1 of \(call.name)")
        let completion = try Response(call[2], "argument 2 of \(call.name)")
        return [Convert.value(try model.logProbabilities(of: completion, after: prompt))]
      }
      .method("generate") { model, call in
        let (prompts, options) = try generation(call, model)
        let completions = try model.generate(prompts, options) { _ in try engine.checkInterrupt() }
        return [.array(completions.map { .array($0.map { Convert.value($0) }) })]
      }
      .method("save") { model, call in
        let (path, options) = (try call.string(1), try saveSchema.read(try call.options(2)))
        let isGGUF = path.hasSuffix(".gguf")
        for name in isGGUF ? ["dtype", "max_shard_size"] : ["type"] where options.has(name) {
          throw options.failure(
            name,
            isGGUF
              ? "is for directories" + (name == "dtype" ? ": give 'type' for a .gguf file" : "") : "is for .gguf files")
        }
        if isGGUF, options.has("value_head") { throw options.failure("value_head", "is for directories") }
        if isGGUF {
          try model.saveGGUF(path, type: try options.optionalString("type").flatMap(GGUFElementType.init) ?? .f32)
        } else {
          try model.save(
            path, elementType: try options.optionalString("dtype").flatMap(ElementType.init),
            maxShardBytes: options.has("max_shard_size") ? try ByteSize.read(options, "max_shard_size") : 5_000_000_000,
            valueHead: options.has("value_head") ? try options.boolean("value_head") : false)
        }
        return []
      }
      .close { try $0.close() }
  }

  static var tokenizer: LuaClass<Tokenizer> {
    LuaClass<Tokenizer>("grao.tokenizer")
      .method("encode") { tokenizer, call in
        let options = try OptionSchema(
          owner: call.name, [OptionDeclaration("add_special_tokens", .boolean, default: true, "as the model expects")]
        ).read(try call.options(2))
        let special = try options.boolean("add_special_tokens")
        return [Convert.value(try tokenizer.encode(try call.string(1), addSpecialTokens: special))]
      }
      .method("decode") { tokenizer, call in
        let options = try OptionSchema(
          owner: call.name, [OptionDeclaration("skip_special_tokens", .boolean, default: true, "leave them out")]
        ).read(try call.options(2))
        let ids = try call[1].tokenIDs("argument 1 of \(call.name)", "an array of token ids")
        if let id = ids.first(where: { $0 < 0 }) {
          throw GRAOError("argument 1 of \(call.name): \(id) is no token's id")
        }
        return [.string(tokenizer.decode(ids, skipSpecialTokens: try options.boolean("skip_special_tokens")))]
      }
      .method("chat") { tokenizer, call in
        let messages = try call[1].elements("argument 1 of \(call.name)", "an array of chat messages") {
          $0.table == nil ? nil : $0
        }
        return [.string(try tokenizer.chat(messages, try chatOptions(call)))]
      }
  }

  /// Every key that is no option of rendering is a variable of the template.
  private static func chatOptions(_ call: LuaCall) throws -> ChatOptions {
    let declared: Set = ["add_generation_prompt", "continue_final_message", "tools", "documents", "template"]
    var (given, variables) = (Table(), Table())
    for (key, value) in try call.options(2) {
      if declared.contains(key) { given[key] = value } else { variables[key] = value }
    }
    // As text the schemas keep the order of their keys, which a Lua table has not.
    if let text = given["tools"]?.string {
      given["tools"] = try JSON.parse(text, source: "\(call.name): option 'tools'")
    }
    let reader = try OptionSchema(
      owner: call.name,
      [
        OptionDeclaration("add_generation_prompt", .boolean, default: false, "begin the assistant's turn"),
        OptionDeclaration("continue_final_message", .boolean, default: false, "leave the last message open"),
        OptionDeclaration("tools", .array(of: .table), "JSON schemas of tools, or JSON text of them"),
        OptionDeclaration("documents", .array(of: .table), "documents with title and text"),
        OptionDeclaration("template", .string, "a Jinja template, or the name of one that the tokenizer has"),
      ]
    ).read(given)
    var options = ChatOptions(addGenerationPrompt: try reader.boolean("add_generation_prompt"))
    options.continueFinalMessage = try reader.boolean("continue_final_message")
    options.tools = reader.has("tools") ? try reader.array("tools") : nil
    options.documents = reader.has("documents") ? try reader.array("documents") : nil
    options.template = try reader.optionalString("template")
    options.variables = variables
    return options
  }

  private static func info(_ model: Model) -> Value {
    [
      "architecture": .string(model.architecture), "parameters": .integer(model.parameterCount),
      "active_parameters": .integer(model.activeParameterCount), "layers": .integer(model.layers),
      "experts": .integer(model.experts), "experts_per_token": .integer(model.expertsPerToken),
      "dtype": .string(model.computeType.rawValue),
      "vocab_size": .integer(model.vocabularySize),
    ]
  }

  private static var saveSchema: OptionSchema {
    OptionSchema(
      owner: "grao.model:save",
      [
        OptionDeclaration(
          "dtype", .string, "element type of the files", choices: ["float32", "float16", "bfloat16"]),
        OptionDeclaration(
          "value_head", .boolean, "write the head that ppo trained, which grao.load reads and transformers does not"),
        OptionDeclaration(
          "max_shard_size", .oneOf([.integer, .string]),
          "bytes of tensors in one file, or a number with KB, MB, GB or TB: 5GB where not given; a larger tensor has one of its own",
          minimum: 1),
        OptionDeclaration(
          "type", .string, "of the matrices in a .gguf file",
          choices: GGUFElementType.allCases.map { .string($0.rawValue) }),
      ])
  }

  private static func generation(_ call: LuaCall, _ model: Model) throws -> ([Prompt], GenerationOptions) {
    let schema = OptionSchema(
      owner: call.name,
      [
        OptionDeclaration("prompts", .array(), "strings, arrays of ids or chat messages", required: true),
        OptionDeclaration("samples", .integer, default: 1, "completions for each prompt", minimum: 1, maximum: 0x1p20),
        OptionDeclaration(
          "logprobs_at", .string, "\"sampling\": log-probabilities of the filtered distribution that was drawn from",
          choices: ["sampling"]),
        OptionDeclaration("seed", .integer, "names the random streams; the model's next where not given"),
        OptionDeclaration("tools", .oneOf([.array(of: .table), .string]), "JSON schemas of tools, for chat messages"),
        OptionDeclaration("chat_template_kwargs", .table, "variables of the chat template"),
      ] + GenerationOptions.declarations(temperature: 1))
    let reader = try schema.read(try call.table(1))
    var options = try GenerationOptions(reading: reader)
    options.samples = try reader.integer("samples")
    options.seed = try reader.optionalInteger("seed").map { UInt64(bitPattern: Int64($0)) } ?? model.nextSeed()
    if reader.has("logprobs_at") { options.logprobs = .sampling }
    try model.checkOpen()
    let chat = try ChatOptions(row: reader.table, "\(call.name): option")
    let prompts = try reader.array("prompts").enumerated().map { index, value throws(GRAOError) in
      let name = "\(call.name): option 'prompts[\(index + 1)]'"
      let prompt = try Prompt(value, name)
      return try Convert.naming(name) { () throws(GRAOError) in Prompt.ids(try model.encode(prompt, chat)) }
    }
    return (prompts, options)
  }
}
