import Foundation
import Models
import TestSupport
import Testing
import Values

/// The published config.json of moonshotai/Moonlight-16B-A3B, understood without memory for its 64 GB.
@Suite struct MoonlightTests {
  private let network: Network

  init() throws {
    let config = try #require(Fixtures.json("configs/moonlight-16b-a3b.json").table)
    network = try Network(Configuration(config, source: "moonlight"), allocate: false)
  }

  @Test func itsSizesAreThePublishedOnes() {
    // sum(p.numel() for p in model.parameters()) of transformers' model on the meta device, and 26 correction biases
    // of 64 experts.
    #expect(network.parameterCount == 15_960_108_544 + 26 * 64)
    // All but the 58 experts of each layer that a token is not routed to.
    #expect(network.activeParameterCount == network.parameterCount - 26 * 58 * 3 * 2048 * 1408)
    #expect(network.layers == 27)
    #expect(network.experts == 64)
    #expect(network.plan.expertsPerToken == 6)
    #expect(network.plan.context == 8192)
    // A latent of 512 and a rotary key of 64: 2.3 kB a layer, where heads of keys and values would take 20.5 kB.
    #expect(network.cacheBytesPerToken == 27 * (512 + 64) * 4)
  }

  @Test func itsTensorsAreThePublishedOnes() {
    var expected: [String: [Int]] = [
      "model.embed_tokens.weight": [163_840, 2048], "model.norm.weight": [2048], "lm_head.weight": [163_840, 2048],
    ]
    func feedForward(_ name: String, _ hidden: Int) {
      expected[name + ".gate_proj.weight"] = [hidden, 2048]
      expected[name + ".up_proj.weight"] = [hidden, 2048]
      expected[name + ".down_proj.weight"] = [2048, hidden]
    }
    for layer in 0..<27 {
      let name = "model.layers.\(layer)"
      expected[name + ".input_layernorm.weight"] = [2048]
      expected[name + ".post_attention_layernorm.weight"] = [2048]
      expected[name + ".self_attn.q_proj.weight"] = [16 * (128 + 64), 2048]
      expected[name + ".self_attn.kv_a_proj_with_mqa.weight"] = [512 + 64, 2048]
      expected[name + ".self_attn.kv_a_layernorm.weight"] = [512]
      expected[name + ".self_attn.kv_b_proj.weight"] = [16 * (128 + 128), 512]
      expected[name + ".self_attn.o_proj.weight"] = [2048, 16 * 128]
      if layer == 0 {
        feedForward(name + ".mlp", 11_264)
      } else {
        expected[name + ".mlp.gate.weight"] = [64, 2048]
        expected[name + ".mlp.gate.e_score_correction_bias"] = [64]
        for expert in 0..<64 { feedForward("\(name).mlp.experts.\(expert)", 1408) }
        feedForward(name + ".mlp.shared_experts", 2 * 1408)
      }
    }
    let tensors = network.parameters.tensors
    #expect(Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.shape) }) == expected)
    // Every element of every tensor has its place.
    for tensor in tensors { #expect(tensor.parameters.reduce(0) { $0 + $1.count } == tensor.count, "\(tensor.name)") }
    #expect(tensors.filter { !$0.isTrained }.map(\.name).allSatisfy { $0.hasSuffix("e_score_correction_bias") })
  }
}
