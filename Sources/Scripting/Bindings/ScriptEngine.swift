import Foundation
import GRAO
import Values

/// Runs one user's script: its Lua state with the module `grao`, and what the bindings share.
package final class ScriptEngine {
  private let state: LuaState
  private let script: String
  /// The script's bytes, as they ran.
  private var content: [UInt8] = []
  private let pluginPath: PluginPath
  private let progress: () -> (any ProgressReporter)?
  /// Of the run that is being made.
  private var reporter: (any ProgressReporter)?

  /// - Parameters:
  ///   - script: path of the script.
  ///   - pluginPaths: folders with plugins, searched before the others.
  ///   - progress: who shows the progress of a run that begins.
  package init(
    script: String, pluginPaths: [String] = [],
    progress: @escaping () -> (any ProgressReporter)? = StandardError.reporter
  ) throws {
    self.script = script
    self.progress = progress
    pluginPath = PluginPath(
      given: pluginPaths, environment: ProcessInfo.processInfo.environment["GRAO_PLUGIN_PATH"],
      scriptFolder: directoryName(script))
    state = try LuaState()
    try state.register(ModelBinding.model(self))
    try state.register(ModelBinding.tokenizer)
    try state.register(DatasetBinding.dataset)
    try state.register(ScheduleBinding.scheduleClass)
    try state.register(PluginBinding.plugin)
    try state.register(JudgeBinding.judge)
    try state.register(RewardModelBinding.rewardModel)
    try state.register(TrainerBinding.trainer(self))
    try TrackedBinding.register(in: state)
    try state.register(module: "grao", module)
    let clear = HostFunction("print") { [unowned self] _ in
      reporter?.clear()
      return []
    }
    try state.loadOwn(Self.printSetup).call([.object(clear)])
  }

  /// A printed line must not end up behind a progress bar.
  private static let printSetup = """
    local clear, write = ..., print
    function print(...)
      clear()
      return write(...)
    end
    """

  /// Runs the script to its end. Throws its error: a ``LuaError`` with position and traceback.
  package func run(arguments: [String]) throws {
    content = try SourceFile.bytes(of: script)
    try state.run(file: script, content: content, arguments: arguments)
  }

  func checkInterrupt() throws {
    if Interruption.isRequested { throw LuaError(kind: .interrupted, message: "interrupted") }
  }

  /// Runs a trainer to its end.
  func run(_ trainer: Trainer) throws -> Table {
    try recording { recorder in try trainer.run(observer: recorder()) }
  }

  /// Runs stages to their end, and prints the matrix of what they remember.
  private func run(_ staged: StagedTraining) throws -> Table {
    staged.checkInterrupt = { [weak self] in try self?.checkInterrupt() }
    let matrix = try recording { recorder in try staged.run(observer: { _ in recorder() }) }
    reporter?.clear()
    print(matrix.text)
    return matrix.table
  }

  /// What makes a recorder for each run; the terminal is left clean however the runs end.
  private func recording<T>(_ body: (() -> RunRecorder) throws -> T) throws -> T {
    let outer = reporter
    let shown = progress()
    reporter = shown
    defer {
      shown?.finish()
      reporter = outer
    }
    var recorder: RunRecorder?
    do {
      return try body {
        let next = RunRecorder(progress: shown, script: ((self.script as NSString).lastPathComponent, self.content))
        recorder = next
        return next
      }
    } catch let error as LuaError where error.kind == .interrupted {
      if let path = try recorder?.interrupted() {
        throw LuaError(kind: .interrupted, message: "\(error.message); the model after the last whole step is \(path)")
      }
      throw error
    }
  }

  private func trainer(_ model: Model, _ options: TrainingOptions) throws -> Trainer {
    let trainer = try Trainer(model, options)
    trainer.checkInterrupt = { [weak self] in try self?.checkInterrupt() }
    return trainer
  }

  private var module: Value {
    func function(_ name: String, _ body: @escaping (LuaCall) throws -> [Value]) -> Value {
      .object(HostFunction("grao." + name, body))
    }
    return [
      "version": .string(Engine.version),
      "load": function("load", Self.load),
      "new": function("new", Self.new),
      "upcycle": function("upcycle", Self.upcycle),
      "dataset": function("dataset", DatasetBinding.make),
      "train": function("train") { [unowned self] call in
        let table = try call.table(1)
        if let stages = table["stages"], !stages.isNull { return [.table(try run(StagedTraining.read(table)))] }
        let (model, options) = try TrainingOptions.read(table)
        return [.table(try run(trainer(model, options)))]
      },
      "trainer": function("trainer") { [unowned self] call in
        let (model, options) = try TrainingOptions.read(try call.table(1))
        return [.object(try trainer(model, options))]
      },
      "evaluate": function("evaluate") { [unowned self] call in
        let (model, data, rewards, options) = try EvaluationOptions.read(try call.table(1))
        return [
          .table(try evaluate(model, on: data, rewards: rewards, options) { _ in try self.checkInterrupt() })
        ]
      },
      "plugin": function("plugin") { [unowned self] call in try PluginBinding.make(call, on: pluginPath) },
      "judge": function("judge") { [unowned self] call in [.object(try JudgeBinding.make(call, self))] },
      "reward_model": function("reward_model") { [unowned self] call in
        [.object(try RewardModelBinding.make(call, self))]
      },
      "schedule": ScheduleBinding.module,
      "json": JSONFunctions.module,
    ]
  }

  private static func load(_ call: LuaCall) throws -> [Value] {
    let schema = OptionSchema(
      owner: call.name,
      [
        computeTypeOption,
        OptionDeclaration("chat_template", .string, "a Jinja template in place of the model's own"),
      ])
    let options = try schema.read(try call.options(2))
    let template = try options.optionalString("chat_template")
    return [
      .object(try Model.load(try call.string(1), computeType: try computeType(options), chatTemplate: template))
    ]
  }

  private static var computeTypeOption: OptionDeclaration {
    OptionDeclaration(
      "dtype", .string, default: "float32", "that weights are kept and products computed in",
      choices: ComputeType.allCases.map { .string($0.rawValue) })
  }

  private static func computeType(_ options: OptionReader) throws -> ComputeType {
    ComputeType(rawValue: try options.string("dtype")) ?? .float32
  }

  private static func upcycle(_ call: LuaCall) throws -> [Value] {
    let schema = OptionSchema(
      owner: call.name,
      [
        OptionDeclaration("experts", .integer, default: 8, "of each layer", minimum: 2, maximum: 4096),
        OptionDeclaration("experts_per_token", .integer, default: 2, "that a token goes to", minimum: 1),
        OptionDeclaration("seed", .integer, default: 0, "names the router's weights and the noise"),
        OptionDeclaration(
          "noise", .number, default: 0, "of the experts' weights, as a share of their root mean square", minimum: 0),
      ])
    guard let model = call[1].object as? Model else {
      throw GRAOError("argument 1 of \(call.name) must be a model, not \(call[1].kind)")
    }
    let options = try schema.read(try call.options(2))
    return [
      .object(
        try model.upcycled(
          experts: try options.integer("experts"), expertsPerToken: try options.integer("experts_per_token"),
          seed: UInt64(bitPattern: Int64(try options.integer("seed"))), noise: try options.number("noise")))
    ]
  }

  private static func new(_ call: LuaCall) throws -> [Value] {
    let schema = OptionSchema(
      owner: call.name,
      [
        OptionDeclaration("config", .table, "the keys of a Hugging Face config.json", required: true),
        OptionDeclaration(
          "tokenizer", .oneOf([.string, .object("a tokenizer")]), "a directory or a model's tokenizer"),
        OptionDeclaration("seed", .integer, default: 0, "names the random weights"),
        computeTypeOption,
      ])
    let options = try schema.read(try call.table(1))
    let tokenizer: Tokenizer? =
      if let directory = options.optional("tokenizer")?.string {
        try Tokenizer.load(directory: directory)
      } else {
        try options.optionalObject("tokenizer", as: Tokenizer.self, "a tokenizer")
      }
    let config = options.optional("config")?.table ?? Table()
    let seed = UInt64(bitPattern: Int64(try options.integer("seed")))
    let computeType = try computeType(options)
    return [
      .object(try Model(configuration: config, tokenizer: tokenizer, seed: seed, computeType: computeType))
    ]
  }
}
