import Kernels
import TestSupport
import Testing
import Values

@testable import Models

/// What a config.json with the sizes of a model and nothing else means: Tests/Oracles/make_defaults.py.
@Suite struct DefaultsTests {
  static var cases: [Value] { (try? Fixtures.json("configs/defaults.json").array) ?? [] }

  @Test func everyArchitectureIsThere() {
    #expect(
      Self.cases.compactMap { $0["config"]?["model_type"]?.string } == architectures.map { $0.modelType }.sorted())
  }

  @Test(arguments: cases.indices) func areThoseOfTransformers(_ index: Int) throws {
    let golden = Self.cases[index]
    let config = try #require(golden["config"]?.table)
    let network = try Network(Configuration(config, source: "config"), allocate: false)
    let name = Comment(rawValue: network.architecture.modelType)
    #expect(.integer(network.parameterCount) == golden["parameters"], name)
    #expect(.boolean(network.decoder.isTied) == golden["tied"], name)
    #expect(.integer(network.plan.context) == golden["context"], name)
    #expect(.integer(network.experts) == golden["experts"], name)
    #expect(.integer(network.plan.expertsPerToken) == golden["experts_per_token"], name)
    #expect(Float(try #require(golden["epsilon"]?.number)) == network.decoder.norm.epsilon, name)

    let windows = try ids(golden["windows"]).map(Int.init)
    let scale = Float(try #require(golden["attention_scale"]?.number))
    let frequencies = try #require(golden["inverse_frequencies"]?.table)
    for (layer, window) in zip(network.decoder.layers, windows) {
      let kind = frequencies.count == 1 ? "" : window == 0 ? "full_attention" : "sliding_attention"
      let expected = try numbers(frequencies[kind]).map(Float.init)
      let rotary: RotaryEmbedding
      if let latent = layer.attention.layer as? LatentAttention {
        #expect(abs(latent.shape.scale - scale) <= 1e-7 * scale, name)
        rotary = latent.rotary
      } else {
        let attention = try #require(layer.attention.layer as? Attention)
        #expect(attention.heads.window == window, name)
        #expect(abs(attention.heads.scale - scale) <= 1e-7 * scale, name)
        #expect(.boolean(attention.k.bias != nil) == golden["bias"], name)
        rotary = attention.rotary
      }
      #expect(rotary.frequencies.count == expected.count, name)
      // torch's power may end in another last digit.
      #expect(zip(rotary.frequencies, expected).allSatisfy { abs($0 - $1) <= 2e-7 * $1 }, name)
    }
  }
}
