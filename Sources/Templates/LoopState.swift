/// The variable `loop`.
final class LoopState {
  private let items: [TemplateValue]
  var index = 0
  private var lastChecked: [TemplateValue]?

  init(_ items: [TemplateValue]) { self.items = items }

  func attribute(_ name: String) -> TemplateValue? {
    switch name {
    case "index": .integer(index + 1)
    case "index0": .integer(index)
    case "revindex": .integer(items.count - index)
    case "revindex0": .integer(items.count - index - 1)
    case "first": .boolean(index == 0)
    case "last": .boolean(index == items.count - 1)
    case "length": .integer(items.count)
    case "depth": .integer(1)
    case "depth0": .integer(0)
    case "previtem": index > 0 ? items[index - 1] : .undefined("there is no previous item")
    case "nextitem": index + 1 < items.count ? items[index + 1] : .undefined("there is no next item")
    case "cycle": .function(cycle)
    case "changed": .function(changed)
    default: nil
    }
  }

  private var cycle: TemplateFunction {
    TemplateFunction(name: "cycle") { [index] _, arguments in
      guard !arguments.positional.isEmpty else { throw TemplateFailure("loop.cycle needs something to cycle through") }
      return arguments.positional[index % arguments.positional.count]
    }
  }

  /// Whether the values differ from the last call's.
  private var changed: TemplateFunction {
    TemplateFunction(name: "changed") { [self] _, arguments in
      let same = lastChecked.map { $0.elementsEqual(arguments.positional, by: ==) } ?? false
      lastChecked = arguments.positional
      return .boolean(!same)
    }
  }
}
