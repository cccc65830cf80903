import COnig

/// Oniguruma's character classes (\p{L}, \p{N}, …) replaced by those of Unicode 16, the version that the Oniguruma inside
/// HF tokenizers knows, whatever version the system's library was built with: ids must not depend on the machine.
enum UnicodeTables {
  private static let version: Unicode.Version = (16, 0)

  /// The classes that published patterns name, and their categories. (Oniguruma takes 20 tables at most.)
  private static let classes: [(name: String, categories: [Unicode.GeneralCategory])] = [
    ("L", [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter]),
    ("Lu", [.uppercaseLetter]), ("Ll", [.lowercaseLetter]), ("Lt", [.titlecaseLetter]), ("Lm", [.modifierLetter]),
    ("Lo", [.otherLetter]),
    ("M", [.nonspacingMark, .spacingMark, .enclosingMark]),
    ("Mn", [.nonspacingMark]), ("Mc", [.spacingMark]), ("Me", [.enclosingMark]),
    ("N", [.decimalNumber, .letterNumber, .otherNumber]),
    ("Nd", [.decimalNumber]), ("Nl", [.letterNumber]), ("No", [.otherNumber]),
    (
      "P",
      [
        .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
        .finalPunctuation, .otherPunctuation,
      ]
    ),
    ("S", [.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol]),
  ]

  /// Nil for what Unicode 16 does not know.
  private static func category(_ value: UInt32) -> Unicode.GeneralCategory? {
    guard let properties = Unicode.Scalar(value)?.properties else { return nil }
    let category = properties.generalCategory
    guard category != .unassigned, let age = properties.age, age <= version else { return nil }
    return category
  }

  /// The scalars of every class, by its name, in order.
  static let ranges: [String: [ClosedRange<UInt32>]] = {
    var ranges: [Unicode.GeneralCategory: [ClosedRange<UInt32>]] = [:]
    // No letter, mark, number, punctuation or symbol lies outside these planes.
    for values in [0...0x323FF, 0xE0000...0xE0FFF] as [ClosedRange<UInt32>] {
      var start = values.lowerBound
      var category = Self.category(start)
      for value in values.dropFirst() {
        let next = Self.category(value)
        guard next != category else { continue }
        if let category { ranges[category, default: []].append(start...value - 1) }
        (start, category) = (value, next)
      }
      if let category { ranges[category, default: []].append(start...values.upperBound) }
    }
    let named = classes.map { name, categories in
      (name, categories.flatMap { ranges[$0] ?? [] }.sorted { $0.lowerBound < $1.lowerBound })
    }
    return Dictionary(named) { first, _ in first }
  }()

  /// Starts Oniguruma with the tables, once in a process; false where it refuses.
  static let areInstalled: Bool = {
    guard grao_onig_initialize() == ONIG_NORMAL else { return false }
    for (name, members) in ranges {
      // Oniguruma keeps the pointer for the life of the process.
      let table = UnsafeMutablePointer<OnigCodePoint>.allocate(capacity: 1 + 2 * members.count)
      table[0] = OnigCodePoint(members.count)
      for (index, range) in members.enumerated() {
        table[1 + 2 * index] = range.lowerBound
        table[2 + 2 * index] = range.upperBound
      }
      guard onig_unicode_define_user_property(name, table) == ONIG_NORMAL else { return false }
    }
    return true
  }()
}
