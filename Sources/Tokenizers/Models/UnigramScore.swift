/// A score as HF tokenizers reads it. Its JSON parser divides the digits by a power of ten, which may miss the nearest
/// number by a rounding, and cuts of equal score are told apart by such roundings.
enum UnigramScore {
  static func read(_ score: Double) -> Double {
    var significand: UInt64 = 0
    var exponent = 0
    var isFraction = false
    // The shortest digits that mean the number are what files are written with.
    let parts = "\(score.magnitude)".split(separator: "e", maxSplits: 1)
    for character in parts.first ?? "" {
      guard let digit = character.wholeNumberValue else {
        isFraction = true
        continue
      }
      let (product, overflows) = significand.multipliedReportingOverflow(by: 10)
      guard !overflows, let digit = UInt64(exactly: digit) else { return score }
      significand = product &+ digit
      if isFraction { exponent -= 1 }
    }
    if parts.count == 2, let shift = Int(parts[1]) { exponent += shift }
    guard significand < 1 << 62, let power = Double("1e\(exponent.magnitude)") else { return score }
    let magnitude = exponent < 0 ? Double(significand) / power : Double(significand) * power
    return score < 0 ? -magnitude : magnitude
  }
}
