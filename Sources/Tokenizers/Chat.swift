import Templates
import Values

/// How a conversation is rendered.
public struct ChatOptions {
  /// Whether what begins the assistant's turn stands at the end.
  public var addGenerationPrompt = false
  /// Whether the last message is left open, to be continued.
  public var continueFinalMessage = false
  /// JSON schemas of the tools that the model may call.
  public var tools: [Value]?
  /// Tables with `title` and `text`.
  public var documents: [Value]?
  /// A Jinja template instead of the tokenizer's, or the name of one that it has.
  public var template: String?
  /// Further variables of the template.
  public var variables = Table()
  /// The time that `strftime_now` shows; nil is the clock's.
  public var now: LocalTime?

  public init(addGenerationPrompt: Bool = false) { self.addGenerationPrompt = addGenerationPrompt }
}

extension Tokenizer {
  /// What is wrong with the default chat template, where it cannot be used.
  public var chatTemplateProblem: String? {
    do throws(GRAOError) {
      _ = try chatTemplates.choose("default", tools: false)
      return nil
    } catch {
      return error.message
    }
  }

  /// The text of a conversation: the model's own chat template, rendered as transformers renders it.
  ///
  /// Throws where there is no template, where it is not valid, and where it refuses the messages, with its own words.
  /// - Parameter messages: tables with `role`, `content` and whatever else the template reads.
  public func chat(_ messages: [Value], _ options: ChatOptions = ChatOptions()) throws(GRAOError) -> String {
    let template = try chatTemplates.choose(options.template, tools: options.tools != nil)
    var variables = Table()
    for (name, content) in specialTokens { variables[name] = .string(content) }
    for (name, value) in options.variables { variables[name] = value }
    return try template.renderChat(
      messages: messages, tools: options.tools, documents: options.documents,
      addGenerationPrompt: options.addGenerationPrompt,
      continueFinalMessage: options.continueFinalMessage ? "content" : nil,
      variables: variables, now: options.now ?? .current())
  }
}
