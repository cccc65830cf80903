/// Python's stable sort.
enum Sorting {
  static func sorted<T>(
    _ items: [T], by key: (T) throws(Failure) -> Object, isReversed: Bool = false, _ interpreter: Interpreter
  ) throws(Failure) -> [T] {
    var keyed: [(key: Object, place: Int)] = []
    for (place, item) in items.enumerated() { keyed.append((try key(item), place)) }
    // The standard library's sort takes any error, and passes on the one that was thrown.
    do {
      try keyed.sort { a, b in
        let (first, second) = isReversed ? (b.key, a.key) : (a.key, b.key)
        if try interpreter.isLess(first, second) { return true }
        return try !interpreter.isLess(second, first) && a.place < b.place
      }
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure("\(error)")
    }
    return keyed.map { items[$0.place] }
  }
}
