import Checkpoints
import Models
import TestSupport
import Testing
import Values

/// GGUF files, by the package gguf, of checkpoints that are there as Hugging Face directories too:
/// Tests/Oracles/make_gguf.py.
@Suite(.machine) struct GGUFModelTests {
  @Test(arguments: ["mixtral", "qwen2", "qwen2_moe-sparse", "qwen3", "olmo2", "olmoe"])
  func aFileIsItsDirectory(_ name: String) throws {
    let directory = try openCheckpoint(Fixtures.path("architectures/\(name)"))
    let file = try openCheckpoint(Fixtures.path("gguf/\(name).gguf"))
    #expect(file.config["model_type"] == directory.config["model_type"])
    #expect(file.tensors.keys.sorted() == directory.tensors.keys.sorted())
    for (tensor, info) in directory.tensors {
      #expect(file.tensors[tensor]?.shape == info.shape, "\(tensor)")
      #expect(try values(tensor, of: file) == values(tensor, of: directory), "\(tensor)")
    }
    // GGUF does not tell of Qwen2's windows.
    if name == "qwen2" { return }
    let (a, b) = (try Network.load(file), try Network.load(directory))
    #expect(a.logits(after: [5, 9, 33, 7]) == b.logits(after: [5, 9, 33, 7]))
  }

  /// What llama.cpp's converter made of each architecture that GGUF files hold (Tests/Oracles/make_gguf_converted.py).
  @Test(arguments: Fixtures.names("gguf_converted")) func aConvertedFileIsTheSameModel(_ name: String) throws {
    let folder = Fixtures.path("gguf_converted/\(name)")
    let directory = try Network.load(openCheckpoint(folder))
    let file = try Network.load(openCheckpoint(folder + "/converted.gguf"))
    #expect(file.logits(after: [5, 9, 33, 7]) == directory.logits(after: [5, 9, 33, 7]))
  }

  private func values(_ name: String, of checkpoint: any Checkpoint) throws -> [Float] {
    var elements = [Float](repeating: .nan, count: try #require(checkpoint.tensors[name]).elementCount)
    try elements.withUnsafeMutableBufferPointer { try checkpoint.read(name, into: $0) }
    return elements
  }
}
