/// Variables of one loop iteration, macro call or block, in front of those around it.
final class Scope {
  private let parent: Scope?
  private var variables: [(symbol: Symbol, value: Object)] = []
  /// Where a symbol is in `variables`; empty for a few of them, which are looked through.
  private var places: [Symbol: Int] = [:]

  private static let few = 16

  init(in parent: Scope?) { self.parent = parent }

  subscript(symbol: Symbol) -> Object? {
    var scope: Scope? = self
    while let current = scope {
      if let place = current.place(of: symbol) { return current.variables[place].value }
      scope = current.parent
    }
    return nil
  }

  func set(_ symbol: Symbol, _ value: Object) {
    if let place = place(of: symbol) {
      variables[place].value = value
      return
    }
    variables.append((symbol, value))
    guard variables.count > Self.few else { return }
    for place in (places.isEmpty ? 0 : variables.count - 1)..<variables.count {
      places[variables[place].symbol] = place
    }
  }

  private func place(of symbol: Symbol) -> Int? {
    places.isEmpty ? variables.firstIndex { $0.symbol == symbol } : places[symbol]
  }
}
