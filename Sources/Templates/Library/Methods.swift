/// The methods of lists, tuples and dictionaries that leave them as they are. The others, `append` among them, are
/// undefined, as in Jinja's immutable sandbox: using one is an error.
enum Methods {
  static func method(ofList elements: Elements, _ name: Text) -> Object? {
    switch name {
    case "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort": unsafe(name, "list")
    case "copy":
      bound("copy", depth: elements.depth) { (arguments, _) throws(Failure) in
        try arguments.none("copy")
        return .list(elements)
      }
    default: method(ofTuple: elements, name)
    }
  }

  static func method(ofTuple elements: Elements, _ name: Text) -> Object? {
    switch name {
    case "count":
      bound("count", depth: elements.depth) { (arguments, interpreter) throws(Failure) in
        let wanted = try arguments.positional(["value"], of: "count")[0].required("count: value")
        try interpreter.charge(elements.weight)
        return .integer(elements.array.count { $0 == wanted })
      }
    case "index":
      bound("index", depth: elements.depth) { (arguments, interpreter) throws(Failure) in
        let values = try arguments.positional(["value", "start", "stop"], of: "index")
        let wanted = try values[0].required("index: value")
        try interpreter.charge(elements.weight)
        let range = clamped(
          try values[1].integer("index: start", default: 0), try values[2].integer("index: stop", default: .max),
          count: elements.array.count)
        guard let place = range?.first(where: { elements.array[$0] == wanted }) else {
          throw Failure("index: the value is not in the list")
        }
        return .integer(place)
      }
    default: nil
    }
  }

  static func method(of dictionary: Dictionary, _ name: Text) -> Object? {
    func view(_ elements: @escaping () throws(Failure) -> [Object]) -> Object {
      bound(name.string, depth: dictionary.depth) { (arguments, interpreter) throws(Failure) in
        try arguments.none(name.string)
        try interpreter.charge(dictionary.count)
        return .view(try Elements(elements()), name: "dict_\(name.string)")
      }
    }
    return switch name {
    case "clear", "pop", "popitem", "setdefault", "update": unsafe(name, "dict")
    case "keys": view { () throws(Failure) in dictionary.keys }
    case "values": view { () throws(Failure) in dictionary.values }
    case "items":
      view { () throws(Failure) in
        try dictionary.pairs.map { (pair) throws(Failure) in try .tuple([pair.key, pair.value]) }
      }
    case "get":
      bound("get", depth: dictionary.depth) { (arguments, interpreter) throws(Failure) in
        let values = try arguments.positional(["key", "default"], of: "get")
        let key = try values[0].required("get: key")
        try interpreter.charge(key.weight)
        guard key.isHashable else { throw Failure("unhashable type: '\(key.type)'") }
        return dictionary[key] ?? values[1] ?? .none
      }
    case "copy":
      bound("copy", depth: dictionary.depth) { (arguments, _) throws(Failure) in
        try arguments.none("copy")
        return .dictionary(dictionary)
      }
    case "fromkeys": bound("fromkeys", depth: 0, fromKeys)
    default: nil
    }
  }

  /// dict.fromkeys(keys, value)
  static func fromKeys(_ arguments: Arguments, _ interpreter: Interpreter) throws(Failure) -> Object {
    let values = try arguments.positional(["iterable", "value"], of: "fromkeys")
    let keys = try interpreter.elements(try values[0].required("fromkeys: iterable"))
    for key in keys { try interpreter.charge(key.weight) }
    return .dictionary(try Dictionary(keys.map { ($0, values[1] ?? .none) }))
  }

  static func bound(_ name: String, depth: Int, _ body: @escaping Function.Body) -> Object {
    .host(Function(name, type: "builtin_function_or_method", depth: depth + 1, body))
  }

  static func unsafe(_ name: Text, _ type: String) -> Object {
    .undefined("access to attribute '\(name.string)' of '\(type)' object is unsafe")
  }

  /// The places that Python's start and stop mean among `count`; nil where the start lies behind the end.
  static func clamped(_ start: Int, _ stop: Int, count: Int) -> Range<Int>? {
    let first = start < 0 ? max(0, start + count) : start
    let last = stop < 0 ? max(0, stop + count) : min(stop, count)
    return first > count ? nil : first..<max(first, last)
  }
}
