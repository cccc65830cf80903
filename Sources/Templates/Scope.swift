/// Variables by name, within those of the block around.
final class Scope {
  private var variables: [String: TemplateValue]
  private let outer: Scope?

  init(_ variables: [String: TemplateValue] = [:], in outer: Scope? = nil) {
    self.variables = variables
    self.outer = outer
  }

  func find(_ name: String) -> TemplateValue? {
    var scope: Scope? = self
    while let here = scope {
      if let value = here.variables[name] { return value }
      scope = here.outer
    }
    return nil
  }

  func set(_ name: String, _ value: TemplateValue) { variables[name] = value }
}
