/// Attributes, indexes and slices, by the rules of Jinja's immutable sandbox.
extension Interpreter {
  /// object.name: an attribute first, then a key.
  func attribute(_ name: Text, of object: Object) throws(Failure) -> Object {
    if let value = try directAttribute(name, of: object) { return value }
    return item(.string(name), of: object) ?? missing(.string(name), in: object)
  }

  /// object[index]: a key first, then an attribute.
  func subscripted(_ object: Object, by index: Object) throws(Failure) -> Object {
    if case .undefined(let reason) = object { throw Failure(reason) }
    try chargeText(object)
    try charge(index.weight)
    if let value = item(index, of: object) { return value }
    if case .string(let name) = index, let value = try directAttribute(name, of: object) { return value }
    return missing(index, in: object)
  }

  /// An attribute as Python has it: a method, or what a host has. One that could change its object is undefined.
  func directAttribute(_ name: Text, of object: Object) throws(Failure) -> Object? {
    switch object {
    case .undefined(let reason): throw Failure(reason)
    case .host(let host): return host.attribute(name)
    case .string(let text): return Methods.method(of: text, name)
    case .dictionary(let dictionary): return Methods.method(of: dictionary, name)
    case .list(let elements): return Methods.method(ofList: elements, name)
    case .tuple(let elements):
      if let place = elements.names.firstIndex(of: name) { return elements.array[place] }
      return Methods.method(ofTuple: elements, name)
    case .range(let elements, _): return Methods.method(ofTuple: elements, name)
    default: return nil
    }
  }

  private func item(_ index: Object, of object: Object) -> Object? {
    switch object {
    case .dictionary(let dictionary): return dictionary[index]
    case .list(let elements), .tuple(let elements), .range(let elements, _):
      guard let index = index.integer else { return nil }
      let count = elements.array.count
      let place = index < 0 ? index + count : index
      return (0..<count).contains(place) ? elements.array[place] : nil
    case .string(let text):
      guard let index = index.integer else { return nil }
      let count = text.count
      let place = index < 0 ? index + count : index
      return (0..<count).contains(place) ? .string(text.character(at: place)) : nil
    default: return nil
    }
  }

  private func missing(_ key: Object, in object: Object) -> Object {
    let owner = if case .none = object { "None" } else { "'\(object.type) object'" }
    if case .string(let name) = key { return .undefined("\(owner) has no attribute '\(name.string)'") }
    return .undefined("\(owner) has no element \(key.integer.map(String.init) ?? "of type '\(key.type)'")")
  }

  func sliceBound(_ object: Object) throws(Failure) -> Int? {
    if case .none = object { return nil }
    guard let bound = object.integer else {
      throw Failure("slice indices must be integers or None, not '\(object.type)'")
    }
    return bound
  }

  func slice(_ object: Object, from start: Int?, to stop: Int?, by step: Int?) throws(Failure) -> Object {
    try charge(object.span)
    switch object {
    case .undefined(let reason): throw Failure(reason)
    case .string(let text):
      let count = text.count
      if step ?? 1 == 1 {
        let range = try contiguous(start, stop, count: count)
        return .string(text.slice(range))
      }
      let scalars = text.scalars
      return .string(Text(scalars: try places(start, stop, step, count: count).map { scalars[$0] }))
    case .list(let elements): return try .list(sliced(elements, start, stop, step))
    case .tuple(let elements): return try .tuple(sliced(elements, start, stop, step))
    case .range(let elements, _):
      return try Globals.range(sliced(elements, start, stop, step))
    default: throw Failure("'\(object.type)' object is not subscriptable by a slice")
    }
  }

  private func sliced(_ elements: Elements, _ start: Int?, _ stop: Int?, _ step: Int?) throws(Failure) -> [Object] {
    let array = elements.array
    if step ?? 1 == 1 { return Array(array[try contiguous(start, stop, count: array.count)]) }
    return try places(start, stop, step, count: array.count).map { array[$0] }
  }

  private func contiguous(_ start: Int?, _ stop: Int?, count: Int) throws(Failure) -> Range<Int> {
    let start = clamp(start ?? 0, count: count, lowest: 0, highest: count)
    let stop = clamp(stop ?? count, count: count, lowest: 0, highest: count)
    return start..<max(start, stop)
  }

  /// The indexes that Python's slice visits.
  private func places(_ start: Int?, _ stop: Int?, _ step: Int?, count: Int) throws(Failure) -> StrideTo<Int> {
    let step = step ?? 1
    guard step != 0 else { throw Failure("slice step cannot be zero") }
    if step > 0 {
      let range = try contiguous(start, stop, count: count)
      return stride(from: range.lowerBound, to: range.upperBound, by: step)
    }
    let first = start.map { clamp($0, count: count, lowest: -1, highest: count - 1) } ?? count - 1
    let last = stop.map { clamp($0, count: count, lowest: -1, highest: count - 1) } ?? -1
    return stride(from: first, to: last, by: step)
  }

  private func clamp(_ index: Int, count: Int, lowest: Int, highest: Int) -> Int {
    min(max(index < 0 ? index + count : index, lowest), highest)
  }
}
