/// Filters of and for HTML.
extension Filter {
  static let markupFilters: [String: Body] = [
    "escape": escape, "e": escape, "forceescape": escape,
    "striptags": taking("striptags", []) { (value, _, interpreter) throws(Failure) in
      let text = withoutTags(try interpreter.text(value))
      return .string(try CharacterReferences.replaced(in: Methods.joined(text.words(), by: " ", interpreter)))
    },
    "xmlattr": taking("xmlattr", ["autospace"]) { (value, arguments, interpreter) throws(Failure) in
      guard case .dictionary(let dictionary) = value else {
        throw Failure("xmlattr: '\(value.type)' is not a mapping")
      }
      var out = Text("")
      for (key, value) in dictionary.pairs where !value.isNone && !value.isUndefined {
        let key = try Optional(key).text("xmlattr: a name")
        if key.scalars.contains(where: { " \t\n\r\u{B}\u{C}/>=".unicodeScalars.contains($0) }) {
          throw Failure("xmlattr: invalid character in the name '\(key.string)'")
        }
        if !out.isEmpty || arguments[0].isTrue(default: true) { out.append(" " as Text) }
        out.append(escaped(key) + "=\"" + escaped(try interpreter.text(value)) + "\"")
        try interpreter.checkLength(out.bytes.count)
      }
      return .string(out)
    },
    "urlize": taking(
      "urlize", ["trim_url_limit", "nofollow", "target", "rel", "extra_schemes"]
    ) { (value, arguments, interpreter) throws(Failure) in
      func given(_ index: Int) -> Object? { arguments[index].flatMap { $0.isNone ? nil : $0 } }
      var rel: Set<Text> = ["noopener"]
      if let text = given(3) { rel.formUnion(try Optional(text).text("urlize: rel").words()) }
      if arguments[1].isTrue(default: false) { rel.insert("nofollow") }
      var attributes = " rel=\"" + escaped(try Methods.joined(rel.sorted(), by: " ", interpreter)) + "\""
      if let target = given(2), target.isTrue {
        attributes.append(" target=\"" + escaped(try interpreter.text(target)) + "\"")
      }
      let schemes = try given(4).map { (schemes) throws(Failure) in
        try interpreter.elements(schemes).map { (scheme) throws(Failure) in
          let scheme = try Optional(scheme).text("urlize: a scheme")
          guard Links.isScheme(scheme) else {
            throw Failure("urlize: '\(scheme.string)' is not a valid URI scheme prefix")
          }
          return scheme
        }
      }
      let links = Links(
        limit: try given(0).map { (limit) throws(Failure) in try Optional(limit).integer("urlize: trim_url_limit") },
        attributes: attributes, schemes: schemes ?? [])
      let text = links.marked(in: escaped(try interpreter.text(value)))
      try interpreter.checkLength(text.bytes.count)
      try interpreter.charge(text.bytes.count / 16)
      return .string(text)
    },
  ]

  private static let escape: Body = taking("escape", []) { (value, _, interpreter) throws(Failure) in
    let text = escaped(try interpreter.text(value))
    try interpreter.checkLength(text.bytes.count)
    return .string(text)
  }

  private static func escaped(_ text: Text) -> Text {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&#34;").replacing("'", with: "&#39;")
  }

  /// Without tags and comments, up to one that is not closed.
  private static func withoutTags(_ text: Text) -> Text {
    var out: [UInt8] = []
    var position = 0
    while let start = text.find("<", from: position) {
      let isComment = text.bytes[start...].starts(with: "<!--".utf8)
      let close: Text = isComment ? "-->" : ">"
      guard let end = text.find(close, from: isComment ? start + 4 : start) else { break }
      out += text.bytes[position..<start]
      position = end + close.bytes.count
    }
    return Text(bytes: out + text.bytes[position...])
  }
}
