/// Variables of one loop iteration, macro call or block, in front of those around it.
final class Scope {
  private let parent: Scope?
  private var variables: [(symbol: Symbol, value: Object)] = []

  init(in parent: Scope?) { self.parent = parent }

  subscript(symbol: Symbol) -> Object? {
    var scope: Scope? = self
    while let current = scope {
      if let found = current.variables.first(where: { $0.symbol == symbol }) { return found.value }
      scope = current.parent
    }
    return nil
  }

  func set(_ symbol: Symbol, _ value: Object) {
    if let place = variables.firstIndex(where: { $0.symbol == symbol }) {
      variables[place].value = value
    } else {
      variables.append((symbol, value))
    }
  }
}
