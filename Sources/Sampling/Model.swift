import Checkpoints
import Kernels
import Models
import Tokenizers
import Values

/// A language model: a network with its tokenizer and what its files say about generation.
///
/// Not thread-safe: use a model from one thread at a time; its operations are spread over the cores by themselves.
public final class Model {
  /// The layers and their weights.
  package let network: Network
  /// Nil for a model that works on token ids only.
  public let tokenizer: Tokenizer?
  /// Tokens at which sampling stops.
  public let endOfSequence: Set<Int32>
  /// What a save carries along unchanged.
  let origin: Origin
  /// Whether the weights have been freed.
  public private(set) var isClosed = false
  /// How many calls work with the weights that also call functions of a user.
  private var uses = 0
  /// Whether the gradient of a step is being computed.
  private var isTraining = false
  private var generations: UInt64 = 0
  /// First number of the paths of ``nextSeed()``, so that no other purpose shares their streams.
  private static let generationStreams: UInt64 = 0x6765_6E65_7261

  struct Origin {
    var generationConfig: Table?
    /// The files the model came from.
    var checkpoint: (any Checkpoint)?
    /// A GGUF file's metadata keys `tokenizer.…`, the chat template in use among them.
    var ggufTokenizer: Table?
  }

  // MARK: Making

  /// A model from a Hugging Face directory or a .gguf file.
  /// - Parameters:
  ///   - computeType: what weights are kept in and products computed in.
  ///   - chatTemplate: a Jinja source in place of the model's own chat template.
  public static func load(
    _ path: String, computeType: ComputeType = .float32, chatTemplate: String? = nil
  ) throws(GRAOError) -> Model {
    let checkpoint = try openCheckpoint(path)
    let network = try Network.load(checkpoint, computeType: computeType)
    let tokenizer = try Tokenizer.load(checkpoint.tokenizer, chatTemplate: chatTemplate, path: path)
    var origin = Origin(generationConfig: checkpoint.generationConfig, checkpoint: checkpoint)
    if case .gguf(var metadata) = checkpoint.tokenizer {
      if let chatTemplate { metadata["tokenizer.chat_template"] = .string(chatTemplate) }
      origin.ggufTokenizer = metadata
    }
    return try Model(network, tokenizer, origin)
  }

  /// A model of random weights.
  /// - Parameters:
  ///   - configuration: the keys of a Hugging Face config.json.
  ///   - seed: names the weights.
  ///   - computeType: what weights are kept in and products computed in.
  public convenience init(
    configuration: Table, tokenizer: Tokenizer? = nil, seed: UInt64 = 0, computeType: ComputeType = .float32
  ) throws(GRAOError) {
    let network = try Network(Configuration(configuration, source: "config"), computeType: computeType)
    try network.initialize(seed: seed)
    try self.init(network, tokenizer, Origin())
  }

  /// A mixture of experts that starts as copies of this dense model's feed-forwards (sparse upcycling, arXiv 2212.05055):
  /// mixtral from llama or mistral, qwen3_moe from qwen3. Without noise its logits are this model's, to rounding.
  /// - Parameters:
  ///   - seed: names the router's weights, and the noise.
  ///   - noise: of the experts' weights, as a share of each matrix's root mean square.
  public func upcycled(
    experts: Int = 8, expertsPerToken: Int = 2, seed: UInt64 = 0, noise: Double = 0
  ) throws(GRAOError) -> Model {
    try checkLanguageModel()
    let sparse = try network.upcycled(experts: experts, perToken: expertsPerToken, seed: seed, noise: noise)
    return try Model(
      sparse, tokenizer, Origin(generationConfig: origin.generationConfig, ggufTokenizer: origin.ggufTokenizer))
  }

  private init(_ network: Network, _ tokenizer: Tokenizer?, _ origin: Origin) throws(GRAOError) {
    self.network = network
    self.tokenizer = tokenizer
    self.origin = origin
    let configuration = network.configuration
    if let tokenizer, tokenizer.vocabularySize > network.plan.vocabulary {
      throw configuration.failure(
        "vocab_size", "is \(network.plan.vocabulary), but the tokenizer has \(tokenizer.vocabularySize) tokens")
    }
    let declared =
      origin.generationConfig?["eos_token_id"]?.unlessNull ?? configuration.table["eos_token_id"]?.unlessNull
    var ids = tokenizer?.eosTokenID.map { [Int($0)] } ?? []
    if let declared {
      // An empty array, which a script's {} is too, says that no token ends a completion.
      let given = declared.array ?? (declared.table?.isEmpty == true ? [] : [declared])
      ids = given.compactMap(\.integer)
      guard ids.count == given.count else {
        throw configuration.failure("eos_token_id", "must be an integer or an array of integers, not \(declared.kind)")
      }
    }
    endOfSequence = Set(ids.compactMap { Int32(exactly: $0) })
  }

  /// Frees the weights now. Whatever is asked of the model afterwards is an error.
  /// - Throws: where a function that training or evaluating the model has called would close it.
  public func close() throws(GRAOError) {
    try checkUnused("closed")
    network.close()
    isClosed = true
  }

  /// Throws where the weights have been freed.
  package func checkOpen() throws(GRAOError) {
    if isClosed { throw GRAOError("the model has been closed") }
  }

  /// Keeps the model open while `body`, which may call functions of a user, works with it.
  package func use<Result>(_ body: () throws -> Result) throws -> Result {
    try checkOpen()
    uses += 1
    defer { uses -= 1 }
    return try body()
  }

  /// Refuses what a function may not do to the model that its training or evaluation has called.
  /// - Parameter done: to the model, in words.
  package func checkUnused(_ done: String) throws(GRAOError) {
    if uses > 0 { throw GRAOError("the model cannot be \(done) by a function that its training or evaluation calls") }
  }

  /// Computes the gradient of a step in `body`, where an objective may read the model, no more.
  package func train<Result>(_ body: () throws -> Result) rethrows -> Result {
    isTraining = true
    defer { isTraining = false }
    return try body()
  }

  /// Refuses a model whose gradient is being computed.
  package func checkTrainable() throws(GRAOError) {
    try checkOpen()
    if isTraining {
      throw GRAOError("the model is being trained: its objective may read it, not train it")
    }
  }

  // MARK: Facts

  /// The `model_type` of its config.
  public var architecture: String { network.architecture.modelType }
  /// What products compute in.
  public var computeType: ComputeType { network.parameters.computeType }
  /// Numbers that a save writes.
  public var parameterCount: Int { network.parameterCount }
  /// Parameters that one token uses.
  public var activeParameterCount: Int { network.activeParameterCount }
  /// Decoder layers.
  public var layers: Int { network.layers }
  /// Experts of a sparse layer; 0 for a dense model.
  public var experts: Int { network.experts }
  /// Of those that a token is sent to; 0 for a dense model.
  public var expertsPerToken: Int { network.plan.expertsPerToken }
  /// Rows of the embedding: ids are below it.
  public var vocabularySize: Int { network.plan.vocabulary }
  /// Tokens that a sequence may have.
  public var contextLength: Int { network.plan.context }

  // MARK: Text to ids

  /// The ids of a prompt: not empty, in the vocabulary, within the context.
  /// - Parameter chat: tools, documents and variables of the chat template.
  public func encode(_ prompt: Prompt, _ chat: ChatOptions = ChatOptions()) throws(GRAOError) -> [Int32] {
    let ids: [Int32]
    switch prompt {
    case .ids(let given): ids = given
    case .text(let text): ids = try requireTokenizer("a text prompt").encode(text)
    case .messages(let messages):
      let tokenizer = try requireTokenizer("a prompt of chat messages")
      let text = try Conversation(tokenizer: tokenizer, options: chat).prompt(messages)
      ids = try tokenizer.encode(text, addSpecialTokens: false)
    }
    try check(ids, "the prompt")
    if ids.isEmpty { throw GRAOError("the prompt is empty: it must have at least one token") }
    if ids.count > contextLength {
      throw GRAOError("the prompt has \(ids.count) tokens, more than the model's context of \(contextLength)")
    }
    return ids
  }

  /// A prompt's text as a reward sees it; nil where the model has no tokenizer.
  /// - Parameter chat: tools, documents and variables of the chat template.
  public func text(of prompt: Prompt, _ chat: ChatOptions = ChatOptions()) throws(GRAOError) -> String? {
    switch prompt {
    case .text(let text): text
    case .ids(let ids): tokenizer?.decode(ids, skipSpecialTokens: false)
    case .messages(let messages):
      try Conversation(tokenizer: requireTokenizer("a prompt of chat messages"), options: chat).prompt(messages)
    }
  }

  /// The ids of a response to `prompt`, with the token that ends it after a text or chat messages.
  /// - Parameter chat: tools, documents and variables of the chat template.
  public func encode(
    _ response: Response, after prompt: Prompt, _ chat: ChatOptions = ChatOptions()
  ) throws(GRAOError) -> EncodedResponse {
    switch (response, prompt) {
    case (.ids(let ids), _):
      try check(ids, "the completion")
      return EncodedResponse(ids: ids, text: tokenizer?.decode(ids))
    case (_, .messages(let before)):
      let tokenizer = try requireTokenizer(response.kind)
      return try Conversation(tokenizer: tokenizer, options: chat).encode(response, after: before)
    case (.text(let text), _):
      let tokenizer = try requireTokenizer(response.kind)
      guard let end = tokenizer.eosTokenID else {
        throw GRAOError("the tokenizer has no eos_token to end a text completion with: give ids instead")
      }
      return EncodedResponse(ids: try tokenizer.encode(text, addSpecialTokens: false) + [end], text: text)
    case (.messages, _):
      throw GRAOError("a response of chat messages needs a prompt of chat messages")
    }
  }

  private func requireTokenizer(_ what: String) throws(GRAOError) -> Tokenizer {
    guard let tokenizer else { throw GRAOError("\(what) needs a tokenizer, which this model lacks: give ids instead") }
    return tokenizer
  }

  /// Refuses what a classifier cannot say.
  package func checkLanguageModel() throws(GRAOError) {
    try checkOpen()
    if network.isClassifier {
      throw GRAOError("the model scores sequences (\(Self.scorer)): it has no probabilities of tokens")
    }
  }

  private static let scorer = "a ForSequenceClassification checkpoint, or trained with method 'reward'"

  /// Refuses a model that does not give one number for a sequence.
  package func checkRewardModel() throws(GRAOError) {
    try checkOpen()
    guard network.isClassifier, let head = network.scoreHead else {
      throw GRAOError("the model is not a reward model: it must be \(Self.scorer)")
    }
    if head.outputs != 1 {
      throw GRAOError("the model has \(head.outputs) labels: a reward model has one (config.json's id2label)")
    }
  }

  private func check(_ ids: [Int32], _ what: String) throws(GRAOError) {
    if let bad = ids.first(where: { $0 < 0 || Int($0) >= vocabularySize }) {
      throw GRAOError("\(what) has the token id \(bad), outside the vocabulary of \(vocabularySize)")
    }
  }

  // MARK: Probabilities

  /// The logits [vocabulary] that follow the last token of `prompt`.
  public func logits(_ prompt: Prompt) throws(GRAOError) -> [Float] {
    try checkLanguageModel()
    return network.logits(after: try encode(prompt))
  }

  /// The natural logarithm of each completion token's probability at temperature 1.
  public func logProbabilities(of completion: Response, after prompt: Prompt) throws(GRAOError) -> [Float] {
    try checkLanguageModel()
    let tree = SequenceTree(prompt: try encode(prompt), branches: [try encode(completion, after: prompt).ids])
    try checkContext(tree)
    return network.logProbabilities([tree]).logp[0][0]
  }

  /// What a reward model makes of a prompt and a completion: the number at the completion's last token.
  public func score(of completion: Response, after prompt: Prompt) throws(GRAOError) -> Float {
    try checkRewardModel()
    let tree = SequenceTree(prompt: try encode(prompt), branches: [try encode(completion, after: prompt).ids])
    if tree.branches[0].isEmpty { throw GRAOError("the completion is empty: it must have at least one token") }
    try checkContext(tree)
    return network.logProbabilities([tree], reading: .ends).values[0][0][0]
  }

  /// Refuses sequences that the model has no positions for.
  package func checkContext(_ tree: SequenceTree) throws(GRAOError) {
    let longest = tree.branches.map(\.count).max() ?? 0
    if tree.prompt.count + longest > contextLength {
      throw GRAOError(
        "a prompt of \(tree.prompt.count) tokens with a completion of \(longest) exceeds the model's context of "
          + "\(contextLength)")
    }
  }

  // MARK: Generation

  /// A seed that this model has not given before: the next of its own stream.
  public func nextSeed() -> UInt64 {
    generations += 1
    return RandomStream(seed: 0, Self.generationStreams, generations).key
  }

  /// Samples completions of each prompt.
  /// - Parameter progress: called with the tokens drawn, some at a time; may throw to stop.
  public func generate(
    _ prompts: [Prompt], _ options: GenerationOptions = GenerationOptions(),
    progress: (_ tokens: Int) throws -> Void = { _ in }
  ) throws -> [[Completion]] {
    try generate(prompts, options, recording: [], progress: progress)
  }

  /// The same, leaving activations for the training passes that follow, whose tokens are `recording` at most.
  package func generate(
    _ prompts: [Prompt], _ options: GenerationOptions, recording passes: [Int],
    progress: (_ tokens: Int) throws -> Void
  ) throws -> [[Completion]] {
    try checkLanguageModel()
    try options.check()
    if !options.stop.isEmpty { _ = try requireTokenizer("a stop string") }
    let ids = try prompts.map { prompt throws(GRAOError) in try encode(prompt) }
    if let full = ids.firstIndex(where: { $0.count >= contextLength }) {
      throw GRAOError(
        "prompt \(full + 1) has \(ids[full].count) tokens and leaves no room in the context of \(contextLength)")
    }
    let recording =
      passes.isEmpty
      ? nil : RolloutRecording(ids, samples: options.samples, to: network.keepActivations(ofPasses: passes))
    var sampler = Sampler(
      network: network, tokenizer: tokenizer, endOfSequence: endOfSequence, options: options, recording: recording)
    return try sampler.run(ids, progress: progress)
  }
}
