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
  private func endOfTurn() throws(GRAOError) -> Int32 {
    let marker = "GRAO-ANSWER"
    let text = try render(
      [["role": "user", "content": "GRAO-QUESTION"], ["role": "assistant", "content": .string(marker)]],
      addGenerationPrompt: false)
    guard let place = text.range(of: marker, options: .backwards) else {
      throw GRAOError("the chat template does not show what the assistant says")
    }
    let rest = String(text[place.upperBound...].drop { $0.isWhitespace }.trimmingSuffix(\.isWhitespace))
    let first = try tokenizer.encode(rest, addSpecialTokens: false).first
    // A text of several tokens ends no turn: sampling stops at one.
    if let first, tokenizer.isSpecial(first) || tokenizer.token(of: first) == rest { return first }
    if let end = tokenizer.eosTokenID ?? first { return end }
    throw GRAOError("the chat template ends the assistant's turn with no token, and the tokenizer has no eos_token")
  }

  /// The tokens of a response to `prompt`.
  func encode(_ response: Response, after prompt: [Value]) throws(GRAOError) -> EncodedResponse {
    switch response {
    case .ids(let ids): return EncodedResponse(ids: ids, text: tokenizer.decode(ids))
    case .text(let text):
      let ids = try tokenizer.encode(text, addSpecialTokens: false)
      return EncodedResponse(ids: ids + [try endOfTurn()], text: text)
    case .messages(let messages): return try self.response(messages, after: prompt)
    }
  }

  /// The tokens of `messages`, which follow `prompt`; those trained on are the assistant's, each turn's end-of-turn
  /// token among them. What the template writes after the last of them is left out.
  ///
  /// A single turn stands behind the prompt as it was asked for. Several stand as the template writes the whole
  /// conversation: an earlier turn that it shortens there, as Qwen3 and gpt-oss leave out thoughts, is context only.
  private func response(_ messages: [Value], after prompt: [Value]) throws(GRAOError) -> EncodedResponse {
    guard let last = messages.lastIndex(where: isAssistant) else {
      throw GRAOError("the messages of a response must hold one with the role 'assistant'")
    }
    let end = try endOfTurn()
    let asked = try self.prompt(prompt)
    let final = try turn(messages[last], after: prompt + messages[..<last], end)
    var runs: [(text: [UInt8], isTrained: Bool)] = []
    if messages[..<last].contains(where: isAssistant) {
      let whole = final.rendered
      guard var place = EmptyThought.end(of: Array(asked.utf8)[...], in: whole), place <= final.start else {
        throw GRAOError(
          "the chat template writes the beginning of the conversation in another way once it goes on: give each of the "
            + "assistant's turns a row of its own, with what stands before it as its prompt")
      }
      func add(upTo end: Int, isTrained: Bool) {
        runs.append((Array(whole[place..<end]), isTrained))
        place = end
      }
      for index in messages[..<last].indices where isAssistant(messages[index]) {
        let turn = try turn(messages[index], after: prompt + messages[..<index], end)
        guard let start = EmptyThought.end(of: turn.before, in: whole), start >= place, start <= final.start,
          let length = turn.length(in: whole[start..<final.start])
        else { continue }
        add(upTo: start, isTrained: false)
        add(upTo: start + length, isTrained: true)
      }
      add(upTo: final.start, isTrained: false)
    }
    runs.append((Array(final.said + final.closing), true))
    return try encode(runs, after: asked, final, end)
  }

  private func encode(
    _ runs: [(text: [UInt8], isTrained: Bool)], after prompt: String, _ final: Turn, _ end: Int32
  ) throws(GRAOError) -> EncodedResponse {
    var (ids, mask, text) = ([Int32](), [Bool](), "")
    for run in runs {
      let part = String(decoding: run.text, as: UTF8.self)
      let encoded = try encode(part, after: text.isEmpty ? prompt : text)
      ids += encoded
      mask += encoded.map { _ in run.isTrained }
      text += part
    }
    if final.closing.isEmpty {
      ids.append(end)
      mask.append(true)
    }
    text = String(decoding: text.utf8.dropLast(final.closing.count), as: UTF8.self)
    return EncodedResponse(ids: ids, mask: mask.allSatisfy(\.self) ? nil : mask, text: text)
  }

  /// The ids of a text that goes on behind another: those that it has there, where no token spans the border.
  private func encode(_ text: String, after context: String) throws(GRAOError) -> [Int32] {
    let context = String(context.suffix(64))
    let before = try tokenizer.encode(context, addSpecialTokens: false)
    let whole = try tokenizer.encode(context + text, addSpecialTokens: false)
    return whole.starts(with: before)
      ? Array(whole.dropFirst(before.count)) : try tokenizer.encode(text, addSpecialTokens: false)
  }

  func isAssistant(_ message: Value) -> Bool { message["role"]?.string == "assistant" }

  /// A message of the assistant's as the template writes it where nothing follows.
  private func turn(_ message: Value, after history: [Value], _ end: Int32) throws(GRAOError) -> Turn {
    let asked = try prompt(history)
    let rendered = try render(history + [message], addGenerationPrompt: false)
    let start = try start(of: message, after: history, asked, in: rendered)
    let text = String(decoding: Array(rendered.utf8)[start...], as: UTF8.self)
    // A template may end its last turn otherwise than the earlier ones; a special token at its end ends it then.
    let ids = try tokenizer.encode(text, addSpecialTokens: false)
    let closing = ids.contains(end) ? end : ids.last(where: tokenizer.isSpecial)
    guard let content = closing.flatMap(tokenizer.token(of:)),
      let place = text.range(of: content, options: [.backwards, .literal]),
      closing == end || text[place.upperBound...].allSatisfy(\.isWhitespace)
    else {
      return Turn(rendered: Array(rendered.utf8), start: start, said: Array(text.trimmingSuffix(\.isWhitespace).utf8))
    }
    return Turn(
      rendered: Array(rendered.utf8), start: start, said: Array(text[..<place.lowerBound].utf8),
      closing: Array(content.utf8))
  }

  /// Where in `rendered` the message begins, in UTF-8 bytes.
  private func start(
    of message: Value, after history: [Value], _ asked: String, in rendered: String
  ) throws(GRAOError) -> Int {
    if rendered.utf8.starts(with: asked.utf8) { return asked.utf8.count }
    // The answer changes what stands before it: Mistral Nemo's template then leaves out the system message, gpt-oss' the
    // thoughts before an earlier call. Another answer shows where they part, and the prompt's end is found before that.
    let other = try render(
      history + [["role": "assistant", "content": "GRAO-ANSWER"]], addGenerationPrompt: false)
    let common = Array(zip(rendered.utf8, other.utf8).prefix { $0 == $1 }.map { $0.0 })
    let before = try render(history, addGenerationPrompt: false)
    let mark = asked.utf8.starts(with: before.utf8) ? asked.utf8.count - before.utf8.count : 0
    let beginning = Array(asked.utf8.suffix(mark == 0 ? 8 : mark))
    guard let place = common.indices.last(where: { common[...$0].suffix(beginning.count).elementsEqual(beginning) })
    else {
      throw GRAOError("the chat template does not show where the assistant's turn begins: give the response as text")
    }
    return place + 1
  }
}

extension StringProtocol where SubSequence == Substring {
  fileprivate func trimmingSuffix(_ isTrimmed: (Character) -> Bool) -> Substring {
    self[..<(lastIndex { !isTrimmed($0) }.map(index(after:)) ?? startIndex)]
  }
}
