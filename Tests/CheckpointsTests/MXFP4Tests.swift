import Testing
import Values

@testable import Checkpoints

/// Experts in MXFP4 against what transformers decodes. The fixture is Tests/Oracles/make_mxfp4.py's.
struct MXFP4Tests {
  private static let experts = "model.layers.0.mlp.experts."
  private let model: any Checkpoint

  init() throws { model = try openCheckpoint(fixture("mxfp4")) }

  @Test func expertsAreWhatTransformersMakesOfThem() throws {
    let golden = try SafetensorsFile(fixture("mxfp4/golden.safetensors"))
    for (name, shape) in [("gate_up_proj", [3, 32, 128]), ("down_proj", [3, 64, 32])] {
      let tensor = Self.experts + name
      #expect(model.tensors[tensor] == TensorInfo(name: tensor, shape: shape, elementType: .quantized))
      let entry = try #require(golden.entries[tensor])
      var expected = [Float](repeating: .nan, count: entry.info.elementCount)
      try expected.withUnsafeMutableBufferPointer { try golden.read(entry, into: $0) }
      #expect(try model.elements(tensor).map(\.bitPattern) == expected.map(\.bitPattern), "\(tensor)")
    }
    #expect(!model.tensors.keys.contains { $0.hasSuffix("_blocks") || $0.hasSuffix("_scales") })
    #expect(model.rawNames.contains(Self.experts + "down_proj_blocks"))
  }

  /// llama.cpp's converter packs the same blocks otherwise.
  @Test func aConvertedFileHoldsTheSameNumbers() throws {
    let file = try openCheckpoint(fixture("mxfp4/converted.gguf"))
    #expect(file.tensors.mapValues(\.shape) == model.tensors.mapValues(\.shape))
    #expect(file.tensors[Self.experts + "down_proj"]?.elementType == .quantized)
    for tensor in model.tensors.keys.sorted() {
      #expect(try file.elements(tensor) == model.elements(tensor), "\(tensor)")
    }
  }

  private func rewritten(_ change: (RawTensor) -> RawTensor?) throws -> String {
    let directory = try TemporaryDirectory()
    let tensors = model.rawNames.compactMap { model.raw($0) }.compactMap(change).map { OutgoingTensor($0) }
    let path = "\(directory.path)/model"
    try CheckpointWriter(config: model.config, tensors: tensors).write(to: path)
    // No weights in 8 bits, no description: it is put back.
    try writeBytes(try readBytes(fixture("mxfp4/config.json")), "\(path)/config.json")
    return failure { _ = try openCheckpoint(path) }
  }

  private func changed(
    _ raw: RawTensor, name: String? = nil, dtype: String? = nil, shape: [Int]? = nil
  ) -> RawTensor {
    RawTensor(
      name: name ?? raw.name, dtype: dtype ?? raw.dtype, shape: shape ?? raw.shape, bytes: raw.bytes, owner: model)
  }

  @Test func whatIsNotMXFP4IsNamed() throws {
    let blocks = Self.experts + "down_proj_blocks"
    let scales = Self.experts + "down_proj_scales"
    #expect(
      try rewritten { $0.name == scales ? nil : $0 }.hasSuffix(
        "tensor \"\(blocks)\" has no \"\(scales)\" beside it"))
    #expect(
      try rewritten { $0.name == blocks ? changed($0, shape: [3, 32, 1, 32]) : $0 }.hasSuffix(
        "tensor \"\(blocks)\" of shape [3, 32, 1, 32] and \"\(scales)\" of [3, 32, 2]: "
          + "expected [E, R, G, 16] and [E, R, G]"))
    // Without elements a dimension may be of any size.
    #expect(
      try rewritten { raw in
        guard [blocks, scales].contains(raw.name) else { return raw }
        let shape = [0, 1, Int.max / 16]
        return RawTensor(
          name: raw.name, dtype: raw.dtype, shape: raw.name == blocks ? shape + [16] : shape,
          bytes: UnsafeRawBufferPointer(rebasing: raw.bytes[..<0]), owner: model)
      }.hasSuffix("expected [E, R, G, 16] and [E, R, G]"))
    #expect(
      try rewritten { $0.name == scales ? changed($0, dtype: "I8") : $0 }.hasSuffix(
        "tensor \"\(blocks)\" and \"\(scales)\" are U8 and I8: expected U8"))
    #expect(
      try rewritten {
        $0.name == Self.experts + "gate_up_proj_bias" ? changed($0, name: Self.experts + "down_proj") : $0
      }
      .hasSuffix("there is a tensor \"\(Self.experts)down_proj\", and \"\(blocks)\" too"))
  }
}
