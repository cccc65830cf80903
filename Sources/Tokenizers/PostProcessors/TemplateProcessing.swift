import Values

/// "TemplateProcessing": special tokens before and after a single sequence.
struct TemplateProcessing: PostProcessor {
  private let before: [Int32]
  private let after: [Int32]

  init(before: [Int32], after: [Int32]) {
    self.before = before
    self.after = after
  }

  /// "BertProcessing" and "RobertaProcessing": the tokens "cls" before and "sep" after.
  init(around description: StageDescription) throws(GRAOError) {
    func id(_ key: String) throws(GRAOError) -> Int32 {
      guard let pair = description.value(key)?.array, pair.count == 2,
        let id = pair[1].integer.flatMap({ Int32(exactly: $0) })
      else { throw GRAOError("\(description.path).\(key): expected a token and its id") }
      return id
    }
    self.init(before: [try id("cls")], after: [try id("sep")])
  }

  init(_ description: StageDescription) throws(GRAOError) {
    let specials = try description.stage("special_tokens")
    var before: [Int32] = []
    var after: [Int32] = []
    var isAfter = false
    for piece in try description.stages("single") {
      if piece.value("Sequence") != nil {
        guard !isAfter, try piece.stage("Sequence").string("id") == "A" else {
          throw GRAOError("\(piece.path): a template with more than the one sequence A is not supported")
        }
        isAfter = true
        continue
      }
      let special = try specials.stage(try piece.stage("SpecialToken").string("id"))
      let ids = special.value("ids")?.array?.compactMap { $0.integer.flatMap { Int32(exactly: $0) } } ?? []
      guard !ids.isEmpty, ids.count == special.value("ids")?.array?.count else {
        throw GRAOError("\(special.path).ids: expected token ids")
      }
      if isAfter { after += ids } else { before += ids }
    }
    guard isAfter else { throw GRAOError("\(description.path).single: expected the sequence A") }
    self.init(before: before, after: after)
  }

  func process(_ ids: [Int32]) -> [Int32] { before + ids + after }
}
