import Models
import TestSupport
import Testing
import Values

/// The published config.json of openai/gpt-oss-20b, understood without memory for its 84 GB.
@Suite struct GPTOSSTests {
  private let network: Network

  init() throws {
    let config = try #require(Fixtures.json("configs/gpt-oss-20b.json").table)
    network = try Network(Configuration(config, source: "gpt-oss"), allocate: false)
  }

  @Test func itsSizesAreThePublishedOnes() {
    // sum(p.numel() for p in model.parameters()) of transformers' model on the meta device.
    #expect(network.parameterCount == 20_914_757_184)
    // All but the 28 experts of each layer that a token is not routed to.
    #expect(network.activeParameterCount == network.parameterCount - 24 * 28 * (3 * 2880 * 2880 + 3 * 2880))
    #expect(network.layers == 24)
    #expect(network.experts == 32)
    #expect(network.plan.expertsPerToken == 4)
    #expect(network.plan.context == 131_072)
    #expect(network.cacheBytesPerToken == 24 * 2 * 8 * 64 * 4)
  }

  @Test func itsTensorsAreThePublishedOnes() {
    let tensors = Dictionary(uniqueKeysWithValues: network.parameters.tensors.map { ($0.name, $0.shape) })
    // 17 in a layer, of which MXFP4 stores two in two parts each, and those beside the layers.
    #expect(tensors.count == 24 * 17 + 3)
    let experts = "model.layers.23.mlp.experts"
    #expect(tensors["\(experts).gate_up_proj"] == [32, 2880, 5760])
    #expect(tensors["\(experts).gate_up_proj_bias"] == [32, 5760])
    #expect(tensors["\(experts).down_proj"] == [32, 2880, 2880])
    #expect(tensors["\(experts).down_proj_bias"] == [32, 2880])
    #expect(tensors["model.layers.23.mlp.router.bias"] == [32])
    #expect(tensors["model.layers.23.self_attn.sinks"] == [64])
  }
}
