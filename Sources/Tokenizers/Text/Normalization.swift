import Foundation

/// Unicode's normalization forms (UAX #15) with the data of Unicode 9, the version of the tables in
/// HF tokenizers: characters of a later version stay as they are. (The standard library's own normalization of whole
/// strings is of a later version, and as of 6.3 wrong for some sequences; for single scalars it serves as the table.)
enum Normalization {
  private struct Tables: Sendable {
    /// Scalar → its full decomposition, where that is another.
    var decompositions: [UInt32: [UInt32]] = [:]
    /// The same with compatibility mappings, where those make a difference.
    var compatible: [UInt32: [UInt32]] = [:]
    /// first << 32 | second → what the two compose to.
    var compositions: [UInt64: UInt32] = [:]
  }

  private static let version: Unicode.Version = (9, 0)

  private static let tables: Tables = {
    var tables = Tables()
    var composites: [[UInt32]: UInt32] = [:]
    // All that decompose, but for Hangul syllables, which arithmetic does.
    let blocks: [ClosedRange<UInt32>] = [
      0xA0...0x33FF, 0xA600...0xABFF, 0xF900...0xFFFF, 0x11000...0x11FFF, 0x1D100...0x1D7FF, 0x1EE00...0x1F2FF,
      0x2F800...0x2FA1F,
    ]
    for values in blocks {
      for value in values {
        guard let scalar = Unicode.Scalar(value), let age = scalar.properties.age, age <= version else { continue }
        let text = String(Character(scalar))
        let parts = text.decomposedStringWithCanonicalMapping.unicodeScalars.map(\.value)
        let compatible = text.decomposedStringWithCompatibilityMapping.unicodeScalars.map(\.value)
        if compatible != parts { tables.compatible[value] = compatible }
        guard parts != [value] else { continue }
        tables.decompositions[value] = parts
        // Some are never composed.
        if parts.count > 1, text.precomposedStringWithCanonicalMapping.unicodeScalars.map(\.value) == [value] {
          composites[parts] = value
        }
      }
    }
    for (parts, value) in composites {
      let start = Array(parts.dropLast())
      guard let last = parts.last, let first = start.count == 1 ? start[0] : composites[start] else { continue }
      tables.compositions[UInt64(first) << 32 | UInt64(last)] = value
    }
    return tables
  }()

  /// Hangul syllables: leading consonant, vowel and perhaps a trailing consonant, in this arrangement.
  private enum Hangul {
    static let leads: Range<UInt32> = 0x1100..<0x1113
    static let vowels: Range<UInt32> = 0x1161..<0x1176
    /// The number before the first trailing consonant stands for none.
    static let trails: Range<UInt32> = 0x11A8..<0x11C3
    static let syllables: Range<UInt32> = 0xAC00..<0xD7A4
    static let trailCount: UInt32 = 28
    static let vowelCount: UInt32 = 21
  }

  private static func combiningClass(_ value: UInt32) -> UInt8 {
    guard value >= 0x300, let properties = Unicode.Scalar(value)?.properties else { return 0 }
    let combiningClass = properties.canonicalCombiningClass.rawValue
    guard combiningClass > 0, let age = properties.age, age <= version else { return 0 }
    return combiningClass
  }

  /// The form C, D, KC or KD of a text. `change` is what a character's appearance means, as HF tokenizers counts it: 1 for
  /// a new one, 0 for one in the place of another, negative where as many more have gone.
  static func normalize(
    _ text: some Sequence<Unicode.Scalar>, isCompatible: Bool, composes: Bool
  ) -> [(value: UInt32, change: Int)] {
    let elements = ordered(decompose(text, isCompatible: isCompatible))
    return composes ? compose(elements) : elements.map { ($0.value, $0.change) }
  }

  /// The characters that a form leaves as they are, unless by what follows them: text may be cut before each, and what
  /// lies between two neighbours of them is in the form already.
  struct Inert: Sendable {
    /// All scalars beyond are inert.
    private static let bound = 0x30000
    private var flags = [Bool](repeating: true, count: bound)

    static let composed = Inert(isCompatible: false, composes: true)
    static let decomposed = Inert(isCompatible: false, composes: false)
    static let compatiblyComposed = Inert(isCompatible: true, composes: true)
    static let compatiblyDecomposed = Inert(isCompatible: true, composes: false)

    private init(isCompatible: Bool, composes: Bool) {
      func clear(_ values: some Sequence<UInt32>) {
        for value in values { flags[Int(value)] = false }
      }
      clear((0x300..<UInt32(0x20000)).lazy.filter { combiningClass($0) > 0 })
      var decomposing = Set(tables.decompositions.keys)
      if isCompatible { decomposing.formUnion(tables.compatible.keys) }
      guard composes else {
        clear(decomposing)
        clear(Hangul.syllables)
        return
      }
      let seconds = Set(tables.compositions.keys.map { UInt32(truncatingIfNeeded: $0) })
      clear(seconds)
      clear(Hangul.vowels)
      clear(Hangul.trails)
      for value in decomposing {
        let scalars = Unicode.Scalar(value).map { [$0] } ?? []
        let parts = decompose(scalars, isCompatible: isCompatible)
        if normalize(scalars, isCompatible: isCompatible, composes: true).map(\.value) != [value]
          || parts.contains(where: { $0.combiningClass == 0 && seconds.contains($0.value) })
        {
          clear([value])
        }
      }
    }

    @inline(__always)
    func contains(_ value: UInt32) -> Bool { value >= Self.bound || flags[Int(value)] }
  }

  /// Whether a character is a combining mark.
  static func isMark(_ value: UInt32) -> Bool {
    guard value >= 0x300, let properties = Unicode.Scalar(value)?.properties, let age = properties.age, age <= version
    else { return false }
    switch properties.generalCategory {
    // Punctuation then.
    case .nonspacingMark, .spacingMark, .enclosingMark: return value != 0x111C9
    // Letters since.
    default: return value == 0x1CF2 || value == 0x1CF3
    }
  }

  private typealias Element = (value: UInt32, combiningClass: UInt8, change: Int)

  private static func decompose(_ text: some Sequence<Unicode.Scalar>, isCompatible: Bool) -> [Element] {
    var out: [Element] = []
    for scalar in text {
      let value = scalar.value
      if Hangul.syllables.contains(value) {
        let index = value - Hangul.syllables.lowerBound
        let pair = index / Hangul.trailCount
        out.append((Hangul.leads.lowerBound + pair / Hangul.vowelCount, 0, 0))
        out.append((Hangul.vowels.lowerBound + pair % Hangul.vowelCount, 0, 1))
        let trail = index % Hangul.trailCount
        if trail > 0 { out.append((Hangul.trails.lowerBound + trail - 1, 0, 1)) }
      } else if let parts = (isCompatible ? tables.compatible[value] : nil) ?? tables.decompositions[value] {
        for (index, part) in parts.enumerated() { out.append((part, combiningClass(part), index == 0 ? 0 : 1)) }
      } else {
        out.append((value, combiningClass(value), 0))
      }
    }
    return out
  }

  /// Each run of combining marks sorted by class, those of one class in the order they came in.
  private static func ordered(_ elements: [Element]) -> [Element] {
    var elements = elements
    var start = 0
    while start < elements.count {
      guard elements[start].combiningClass > 0 else {
        start += 1
        continue
      }
      let end = elements[start...].firstIndex { $0.combiningClass == 0 } ?? elements.count
      if end - start > 1 {
        // Swift's sort is stable, in fact though not by promise: the offset makes sure.
        let run = elements[start..<end].enumerated().sorted {
          ($0.element.combiningClass, $0.offset) < ($1.element.combiningClass, $1.offset)
        }
        elements.replaceSubrange(start..<end, with: run.map(\.element))
      }
      start = end
    }
    return elements
  }

  private static func compose(_ elements: [Element]) -> [(value: UInt32, change: Int)] {
    var out: [(value: UInt32, change: Int)] = []
    out.reserveCapacity(elements.count)
    // The last character of class 0, with which later ones compose, and the class of the last one kept after it.
    var starter: Int?
    var lastClass: UInt8?
    for (value, combiningClass, change) in elements {
      if let starter, lastClass.map({ $0 < combiningClass }) ?? true,
        let composite = pair(out[starter].value, value)
      {
        out[starter] = (composite, out[starter].change + change - 1)
        continue
      }
      if combiningClass == 0 {
        starter = out.count
        lastClass = nil
      } else {
        lastClass = combiningClass
      }
      out.append((value, change))
    }
    return out
  }

  /// What two characters compose to, if anything.
  private static func pair(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if Hangul.leads.contains(first), Hangul.vowels.contains(second) {
      let pair = (first - Hangul.leads.lowerBound) * Hangul.vowelCount + second - Hangul.vowels.lowerBound
      return Hangul.syllables.lowerBound + pair * Hangul.trailCount
    }
    if Hangul.syllables.contains(first), (first - Hangul.syllables.lowerBound) % Hangul.trailCount == 0,
      Hangul.trails.contains(second)
    {
      return first + second - Hangul.trails.lowerBound + 1
    }
    return tables.compositions[UInt64(first) << 32 | UInt64(second)]
  }
}
