/// Attributes, items and slices.
extension TemplateValue {
  /// `value.name`: a method or attribute first, then an item.
  func attribute(_ name: String) throws -> TemplateValue {
    if case .undefined(let missing) = self { throw TemplateFailure("'\(missing)' is undefined") }
    if let method = Methods.bound(name, to: self) { return .function(method) }
    switch self {
    case .dictionary(let dictionary): return dictionary[name] ?? missing(name)
    case .loop(let loop): return loop.attribute(name) ?? missing(name)
    case .namespace(let namespace): return namespace.attributes[name] ?? missing(name)
    case .function(let function) where name == "name": return .string(function.name)
    default: return missing(name)
    }
  }

  /// `value[index]`: an item first, then a method or attribute.
  func item(_ index: TemplateValue) throws -> TemplateValue {
    if case .undefined(let missing) = self { throw TemplateFailure("'\(missing)' is undefined") }
    switch self {
    case .dictionary(let dictionary):
      if let value = dictionary[index] { return value }
    case .list, .tuple, .string:
      if let index = index.asInteger, let items {
        let place = index < 0 ? items.count + index : index
        return items.indices.contains(place) ? items[place] : missing("\(index)")
      }
    default: break
    }
    guard case .string(let name) = index else { return missing(index.text) }
    return try attribute(name)
  }

  private func missing(_ name: String) -> TemplateValue { .undefined("\(kind) object has no attribute '\(name)'") }

  /// `value[start:stop:step]`, Python's.
  func slice(start: TemplateValue?, stop: TemplateValue?, step: TemplateValue?) throws -> TemplateValue {
    func bound(_ value: TemplateValue?) throws -> Int? {
      guard let value else { return nil }
      if case .none = value { return nil }
      guard let integer = value.asInteger else { throw TemplateFailure("a slice needs integers, not \(value.kind)") }
      return integer
    }
    if case .undefined(let missing) = self { throw TemplateFailure("'\(missing)' is undefined") }
    let items: [TemplateValue]
    switch self {
    case .list(let list), .tuple(let list): items = list
    case .string: items = self.items ?? []
    default: throw TemplateFailure("a \(kind) cannot be sliced")
    }
    let step = try bound(step) ?? 1
    if step == 0 { throw TemplateFailure("the step of a slice cannot be 0") }
    let count = items.count
    func clamp(_ value: Int?, _ fallback: Int) -> Int {
      guard let value else { return fallback }
      let place = value < 0 ? max(value, -count - 1) + count : value
      return step > 0 ? min(max(place, 0), count) : min(max(place, -1), count - 1)
    }
    let first = clamp(try bound(start), step > 0 ? 0 : count - 1)
    let last = clamp(try bound(stop), step > 0 ? count : -1)
    let chosen = stride(from: first, to: last, by: max(min(step, count + 1), -count - 1)).map { items[$0] }
    switch self {
    case .string: return .string(chosen.map(\.text).joined())
    case .tuple: return .tuple(chosen)
    default: return .list(chosen)
    }
  }
}
