import Foundation
import GRAO
import Testing

@Suite struct OptionReferenceTests {
  /// `grao-run options > Sources/GRAO/GRAO.docc/Options.md` renews it.
  @Test func thePageIsThatOfTheDeclarations() throws {
    let page = ReadmeTests.root.appending(path: "Sources/GRAO/GRAO.docc/Options.md")
    let committed = try String(contentsOf: page, encoding: .utf8)
    #expect(committed == OptionReference.page)
    for option in ["`method`", "`dpo.label_smoothing`", "`optimizer.betas`", "`dapo`", "`baseline`"] {
      #expect(committed.contains("| \(option) |"), "\(option)")
    }
  }
}
