import Foundation

/// The functions that every template can call.
enum Globals {
  private static let maximumRange = 1 << 20

  static var functions: [String: TemplateValue] {
    let functions = [
      TemplateFunction(name: "range") { _, arguments in try range(arguments.positional) },
      TemplateFunction(name: "dict") { _, arguments in .dictionary(try dictionary(arguments)) },
      TemplateFunction(name: "namespace") { _, arguments in .namespace(Namespace(try dictionary(arguments))) },
      TemplateFunction(name: "raise_exception") { _, arguments in
        throw RaisedException(message: arguments.optional(0, "message")?.text ?? "")
      },
      TemplateFunction(name: "strftime_now") { renderer, arguments in
        .string(time(renderer.now, try arguments.required(0, "format", of: "strftime_now").text))
      },
      TemplateFunction(name: "joiner") { _, arguments in
        let separator = arguments.optional(0, "sep")?.text ?? ", "
        let state = Namespace(TemplateDictionary())
        return .function(
          TemplateFunction(name: "joiner") { _, _ in
            if state.attributes["used"] != nil { return .string(separator) }
            state.attributes.set(.string("used"), .boolean(true))
            return .string("")
          })
      },
    ]
    return Dictionary(functions.map { ($0.name, .function($0)) }) { $1 }
  }

  private static func range(_ arguments: [TemplateValue]) throws -> TemplateValue {
    let bounds = arguments.compactMap(\.asInteger)
    guard (1...3).contains(bounds.count), bounds.count == arguments.count else {
      throw TemplateFailure("range needs one to three integers")
    }
    let (start, stop) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
    let step = bounds.count == 3 ? bounds[2] : 1
    if step == 0 { throw TemplateFailure("range: the step cannot be 0") }
    guard start.magnitude < 1 << 40, stop.magnitude < 1 << 40, step.magnitude < 1 << 40,
      (stop - start) / step <= maximumRange
    else { throw TemplateFailure("range is too long") }
    return .list(stride(from: start, to: stop, by: step).map { .integer($0) })
  }

  private static func dictionary(_ arguments: CallArguments) throws -> TemplateDictionary {
    var entries: [(key: TemplateValue, value: TemplateValue)] = []
    for argument in arguments.positional {
      if case .dictionary(let dictionary) = argument {
        entries += dictionary.entries
      } else {
        for pair in try argument.sequence(for: "dict") {
          guard let pair = pair.items, pair.count == 2 else { throw TemplateFailure("dict needs pairs") }
          entries.append((pair[0], pair[1]))
        }
      }
    }
    for (name, value) in arguments.named { entries.append((.string(name), value)) }
    return TemplateDictionary(entries)
  }

  private static func time(_ date: Date, _ format: String) -> String {
    var seconds = time_t(date.timeIntervalSince1970)
    var parts = tm()
    localtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = strftime(&buffer, buffer.count, format, &parts)
    return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
