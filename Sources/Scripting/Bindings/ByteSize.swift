import Values

/// Sizes in bytes as transformers writes them: an integer, or a number with a unit of powers of ten, "5GB".
enum ByteSize {
  private static let units = ["KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12]

  /// An option that is declared as an integer or a string.
  static func read(_ options: OptionReader, _ name: String) throws(GRAOError) -> Int {
    if let bytes = options.optional(name)?.integer { return bytes }
    let text = try options.string(name)
    guard let unit = units[text.suffix(2).uppercased()],
      let number = Double(text.dropLast(2).filter { $0 != " " }), number.isFinite, number * unit >= 1,
      let bytes = Int(exactly: (number * unit).rounded(.down))
    else { throw options.failure(name, "is '\(text)': expected bytes, or a number with KB, MB, GB or TB, as '5GB'") }
    return bytes
  }
}
