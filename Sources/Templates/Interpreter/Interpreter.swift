/// One rendering of a template.
final class Interpreter {
  /// The variables' names, by symbol.
  let names: [Text]
  let now: LocalTime
  /// The line being rendered, for messages.
  var line = 1
  /// Where variables are set and first looked for.
  var scope: Scope
  /// Text written so far, or what a capture has caught.
  var output: [UInt8] = []
  /// The symbol of `loop`, where the template uses it.
  let loopSymbol: Symbol?
  private var depth = 0
  private var steps = 0
  private var kept: [any Host] = []

  init(names: [Text], now: LocalTime) {
    self.names = names
    self.now = now
    loopSymbol = names.firstIndex(of: "loop")
    scope = Scope(in: nil)
  }

  /// Binds the caller's variables, and the environment's functions that they do not hide.
  func define(_ variables: [Text: Object]) {
    for (symbol, name) in names.enumerated() {
      if let value = variables[name] ?? Globals.function(name) { scope.set(symbol, value) }
    }
  }

  /// Counts work against the limit.
  func charge(_ count: Int) throws(Failure) {
    guard count <= Limits.steps - steps else { throw Failure("the template takes more than \(Limits.steps) steps") }
    steps += count
  }

  /// Counts going through a string; other objects cost nothing until their elements are looked at.
  func chargeText(_ object: Object) throws(Failure) {
    if case .string = object { try charge(object.weight) }
  }

  /// Runs what is nested, where the nesting is not too deep.
  func nested<T>(_ body: () throws(Failure) -> T) throws(Failure) -> T {
    guard depth < Limits.evaluationDepth else {
      throw Failure("calls and expressions nested more than \(Limits.evaluationDepth) levels deep")
    }
    depth += 1
    defer { depth -= 1 }
    return try body()
  }

  func write(_ bytes: [UInt8]) throws(Failure) {
    try checkLength(output.count + bytes.count)
    try charge(1 + bytes.count / 64)
    output += bytes
  }

  func checkLength(_ count: Int) throws(Failure) {
    guard count <= Limits.text else { throw Failure("a text of more than \(Limits.text) bytes") }
  }

  /// Runs `body` and returns what it wrote.
  func capture(_ body: () throws(Failure) -> Void) throws(Failure) -> Text {
    let outer = output
    output = []
    defer { output = outer }
    try body()
    return Text(bytes: output)
  }

  func inScope<T>(_ inner: Scope, _ body: () throws(Failure) -> T) throws(Failure) -> T {
    let outer = scope
    scope = inner
    defer { scope = outer }
    return try body()
  }

  /// Keeps what may hold other objects in a circle until `release`.
  func keep(_ host: any Host) { kept.append(host) }

  func release() {
    for host in kept { host.release() }
    kept = []
  }

  /// str(object)
  func text(_ object: Object) throws(Failure) -> Text {
    if case .string(let text) = object { return text }
    var printer = Printer(self)
    try printer.write(object, asRepr: false)
    return Text(bytes: printer.bytes)
  }

  /// The elements that a loop over `object` would see.
  func elements(_ object: Object) throws(Failure) -> [Object] {
    try charge(object.span)
    switch object {
    case .undefined: return []
    case .string(let text):
      try Elements.check(weight: text.count, depth: 0)
      return text.characters.map { .string($0) }
    case .list(let elements), .tuple(let elements), .range(let elements, _), .view(let elements, _):
      return elements.array
    case .dictionary(let dictionary): return dictionary.keys
    case .iterator(let iterator): return iterator.rest()
    default: throw Failure("'\(object.type)' object is not iterable")
    }
  }
}
