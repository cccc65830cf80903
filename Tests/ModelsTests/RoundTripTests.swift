import Checkpoints
import Models
import TestSupport
import Testing
import Values

/// What a network holds is what the file held, whatever its parameters look like inside.
@Suite(.machine) struct RoundTripTests {
  @Test(arguments: Golden.architectures) func everyTensorComesBackBitForBit(_ name: String) throws {
    let checkpoint = try openCheckpoint(Fixtures.path("architectures/\(name)"))
    let network = try Network.load(checkpoint)
    let names = network.parameters.tensors.map(\.name)
    #expect(Set(names) == Set(checkpoint.tensors.keys))
    #expect(Set(names).count == names.count)
    #expect(network.ignoredTensors == [])
    for tensor in network.parameters.tensors {
      var (stored, held) = ([Float](repeating: 0, count: tensor.count), [Float](repeating: .nan, count: tensor.count))
      try stored.withUnsafeMutableBufferPointer { try checkpoint.read(tensor.name, into: $0) }
      held.withUnsafeMutableBufferPointer { network.parameters.get(tensor, into: $0) }
      #expect(stored.map(\.bitPattern) == held.map(\.bitPattern), "\(tensor.name)")
    }
  }

  @Test(arguments: Golden.architectures) func everyParameterOfANewModelIsFinite(_ name: String) throws {
    let network = try Golden(architecture: name).network
    let fresh = try Network(network.configuration)
    try fresh.initialize(seed: 1)
    for parameter in fresh.parameters.parameters {
      let values = fresh.parameters.value(parameter)
      #expect(values.allSatisfy { $0.isFinite }, "\(parameter.placement.tensor)")
      #expect(parameter.start != .normal || Set(values).count > 1, "\(parameter.placement.tensor)")
    }
    #expect(fresh.logits(after: [3, 4, 5]).allSatisfy { $0.isFinite })
  }

  /// A tied head written out, and the rotary tables of old checkpoints.
  @Test func tensorsThatAreCarriedAreListed() throws {
    let checkpoint = try WithExtraTensors(
      openCheckpoint(Fixtures.path("architectures/gemma3_text")),
      ["model.layers.0.self_attn.rotary_emb.inv_freq": [8], "lm_head.weight": [96, 32]])
    let ignored = try Network.load(checkpoint).ignoredTensors
    #expect(ignored == ["lm_head.weight", "model.layers.0.self_attn.rotary_emb.inv_freq"])

    let unknown = try WithExtraTensors(openCheckpoint(Fixtures.path("architectures/phi3")), ["lm_head.bias": [96]])
    let error = #expect(throws: GRAOError.self) { try Network.load(unknown) }
    #expect(error?.message == "\(unknown.path): tensor 'lm_head.bias' is unknown to the architecture 'phi3'")
  }
}

/// A checkpoint with tensors that are never read.
private final class WithExtraTensors: Checkpoint {
  private let base: any Checkpoint
  let tensors: [String: TensorInfo]
  var path: String { base.path }
  var config: Table { base.config }
  var generationConfig: Table? { base.generationConfig }
  var tokenizer: TokenizerSource { base.tokenizer }

  init(_ base: any Checkpoint, _ extra: [String: [Int]]) {
    self.base = base
    var tensors = base.tensors
    for (name, shape) in extra { tensors[name] = TensorInfo(name: name, shape: shape, elementType: .float32) }
    self.tensors = tensors
  }

  func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws(GRAOError) {
    try base.read(name, into: destination)
  }
}
