import Templates
import Testing
import Values

/// The ranges of {% generation %} blocks.
@Suite struct GenerationTests {
  @Test func rangesAreThoseOfTransformersInBytes() throws {
    for golden in try #require(Fixtures.json("generation.json").array) {
      let template = try Template(try #require(golden["template"]?.string), name: "t")
      let (text, generated) = try template.renderMarkingGeneration(try #require(golden["variables"]?.table))
      #expect(try text == #require(golden["text"]?.string))
      let scalars = Array(text.unicodeScalars)
      let expected = try #require(golden["generated"]?.array).map { pair in
        // The oracle counts code points.
        let bounds = try #require(pair.array).map { bound in
          String(String.UnicodeScalarView(scalars[..<(try #require(bound.integer))])).utf8.count
        }
        return bounds[0]..<bounds[1]
      }
      #expect(generated == expected)
    }
  }

  @Test func generationInsideAMacroHasNoPlace() throws {
    let source = "{% macro m() %}\n{% generation %}x{% endgeneration %}{% endmacro %}{{ m() }}"
    let template = try Template(source, name: "t")
    #expect(try template.render([:]) == "x")
    #expect {
      try template.renderMarkingGeneration([:])
    } throws: {
      "\($0)" == "t:2: a generation block inside a macro, block or filter has no place in the text"
    }
  }
}
