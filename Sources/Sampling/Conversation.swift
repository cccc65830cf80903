import Foundation
import Tokenizers
import Values

/// Conversations as token ids: where the assistant begins to speak, and which tokens are its own.
///
/// The turns are encoded one by one, cut where the assistant begins and where its end-of-turn token ends. That is how
/// sampling meets them, so training sees the very ids that sampling would have continued.
struct Conversation {
  let tokenizer: Tokenizer
  /// Tools, documents and variables of the template.
  var options = ChatOptions()

  private func render(_ messages: [Value], addGenerationPrompt: Bool) throws(GRAOError) -> String {
    var options = options
    options.addGenerationPrompt = addGenerationPrompt
    return try tokenizer.chat(messages, options)
  }

  /// What stands before the assistant's next turn.
  func prompt(_ messages: [Value]) throws(GRAOError) -> String {
    try render(messages, addGenerationPrompt: true)
  }

  /// The token with which the template ends the assistant's turn.
  func endOfTurn() throws(GRAOError) -> Int32 {
    let marker = "GRAO-ANSWER"
    let text = try render(
      [["role": "user", "content": "GRAO-QUESTION"], ["role": "assistant", "content": .string(marker)]],
      addGenerationPrompt: false)
    guard let place = text.range(of: marker, options: .backwards) else {
      throw GRAOError("the chat template does not show what the assistant says")
    }
    let rest = text[place.upperBound...].drop { $0.isWhitespace }
    if let first = try tokenizer.encode(String(rest), addSpecialTokens: false).first { return first }
    guard let end = tokenizer.eosTokenID else {
      throw GRAOError("the chat template ends the assistant's turn with no token, and the tokenizer has no eos_token")
    }
    return end
  }

  /// The tokens of `messages`, which follow `prompt`; those trained on are the assistant's, each turn's end-of-turn
  /// token among them. What the template writes after the last of them is left out.
  func response(_ messages: [Value], after prompt: [Value]) throws(GRAOError) -> EncodedResponse {
    guard let last = messages.lastIndex(where: isAssistant) else {
      throw GRAOError("the messages of a response must hold one with the role 'assistant'")
    }
    let end = try endOfTurn()
    var history = prompt
    // What is in `ids` already, prompt and all.
    var written = try self.prompt(prompt)
    var (ids, mask, text) = ([Int32](), [Bool](), "")
    for message in messages[...last] {
      if isAssistant(message) {
        let before = try self.prompt(history)
        let between = try continuation(of: written, in: before)
        let gap = try tokenizer.encode(between, addSpecialTokens: false)
        let whole = try render(history + [message], addGenerationPrompt: false)
        let turn = try self.turn(try continuation(of: before, in: whole), end)
        ids += gap + turn.ids
        mask += gap.map { _ in false } + turn.ids.map { _ in true }
        text += between + turn.text
        written = before + turn.written
      }
      history.append(message)
    }
    return EncodedResponse(ids: ids, mask: mask.allSatisfy(\.self) ? nil : mask, text: text)
  }

  private func isAssistant(_ message: Value) -> Bool { message["role"]?.string == "assistant" }

  private func continuation(of text: String, in whole: String) throws(GRAOError) -> String {
    let (text, whole) = (text.utf8, whole.utf8)
    guard whole.starts(with: text) else {
      throw GRAOError(
        "the chat template does not render the assistant's message as a continuation of what stands before it: give the "
          + "response as text")
    }
    return String(decoding: whole.dropFirst(text.count), as: UTF8.self)
  }

  /// A turn up to its end-of-turn token: its ids, its text without that token, and with it.
  private func turn(_ turn: String, _ end: Int32) throws(GRAOError) -> (ids: [Int32], text: String, written: String) {
    // A template may end its last turn otherwise than the earlier ones; any special token ends it then.
    let ids = try tokenizer.encode(turn, addSpecialTokens: false)
    let closing = ids.contains(end) ? end : ids.last(where: tokenizer.isSpecial)
    guard let closing, let content = tokenizer.token(of: closing),
      let place = turn.range(of: content, options: [.backwards, .literal])
    else {
      let text = turn.trimmingSuffix { $0.isWhitespace }
      return (try tokenizer.encode(text, addSpecialTokens: false) + [end], text, text)
    }
    let written = String(turn[..<place.upperBound])
    return (
      try tokenizer.encode(written, addSpecialTokens: false), String(turn[..<place.lowerBound]), written
    )
  }
}

extension StringProtocol {
  fileprivate func trimmingSuffix(_ isTrimmed: (Character) -> Bool) -> String {
    var rest = self[...]
    while let last = rest.last, isTrimmed(last) { rest = rest.dropLast() }
    return String(rest)
  }
}
