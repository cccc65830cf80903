import Templates
import Testing
import Values

/// Jinja's semantics, case by case against jinja2 in transformers' environment.
@Suite struct SemanticsTests {
  @Test func everyCaseIsAsInJinja() throws {
    let fixture = try Fixtures.json("semantics.json")
    let variables = try #require(fixture["variables"]?.table)
    let cases = try #require(fixture["cases"]?.array)
    #expect(cases.count > 700)
    for golden in cases {
      let source = try #require(golden["template"]?.string)
      let outcome = Outcome(name: "t") {
        try Template(source, name: "t").render(variables, now: Fixtures.now)
      }
      #expect(try outcome == Outcome(golden: golden), "\(source.debugDescription)")
    }
  }
}
