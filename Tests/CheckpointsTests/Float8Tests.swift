import Checkpoints
import Testing
import Values

/// Weights in 8 bits, and tensors that are carried byte for byte. The fixture is Tests/Oracles/make_float8.py's.
struct Float8Tests {
  private static let carried = ["e.count", "f.table", "g.mask"]

  @Test func weightsAreMultipliedByTheirFactors() throws {
    let model = try openCheckpoint(fixture("float8"))
    let bits = try model.bits { !Self.carried.contains($0.name) }
    let expected = try readBits(fixture("float8.golden"))
    #expect(bits.count == expected.count)
    let wrong = zip(bits, expected).filter { bits, expected in
      let (value, other) = (Float(bitPattern: bits), Float(bitPattern: expected))
      return bits != expected && !(value.isNaN && other.isNaN)
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(3))")
  }

  @Test func factorsAreNoTensorsOfTheModel() throws {
    let model = try openCheckpoint(fixture("float8"))
    #expect(model.tensors.keys.sorted() == ["a.weight", "b.weight", "c.weight", "d.bias"] + Self.carried)
    #expect(model.tensors["a.weight"] == TensorInfo(name: "a.weight", shape: [5, 7], elementType: .quantized))
    #expect(failure { _ = try model.elements("e.count") }.contains("\"e.count\" has the dtype I64"))
  }

  /// Also factors, integers, float64, NaNs, denormals and -0.
  @Test(arguments: [1 << 30, 300]) func aRawRoundTripIsExact(maxShardBytes: Int) throws {
    let directory = try TemporaryDirectory()
    let model = try openCheckpoint(fixture("float8"))
    let tensors = model.rawNames.compactMap { model.raw($0) }.map { OutgoingTensor($0) }
    #expect(tensors.count == 10)
    let path = "\(directory.path)/model"
    try CheckpointWriter(config: model.config, tensors: tensors, maxShardBytes: maxShardBytes).write(to: path)
    let again = try openCheckpoint(path)
    #expect(Value.table(again.config) == .table(model.config))
    #expect(again.tensors == model.tensors && again.rawNames == model.rawNames)
    for name in model.rawNames {
      let (a, b) = (try #require(model.raw(name)), try #require(again.raw(name)))
      #expect(a.dtype == b.dtype && a.shape == b.shape && Array(a.bytes) == Array(b.bytes), "\(name)")
    }
    #expect(directory.names("model").contains("model.safetensors") == (maxShardBytes > 300))
  }

  @Test func writtenAsNumbersTheyNeedNoDescription() throws {
    let directory = try TemporaryDirectory()
    let model = try openCheckpoint(fixture("float8"))
    let info = TensorInfo(name: "a.weight", shape: [5, 7], elementType: .float32)
    let tensor = OutgoingTensor(info) { room throws(GRAOError) in try model.read("a.weight", into: room) }
    try CheckpointWriter(config: model.config, tensors: [tensor]).write(to: "\(directory.path)/model")
    let again = try openCheckpoint("\(directory.path)/model")
    #expect(again.config["quantization_config"] == nil)
    #expect(try again.elements("a.weight") == model.elements("a.weight"))
  }

  @Test(arguments: [
    (
      #"{"quant_method": "gptq", "bits": 4}"#,
      "the quant_method \"gptq\" is not supported; expected \"fp8\" or \"mxfp4\""
    ),
    (#"{"bits": 4}"#, "expected a quant_method"),
    (#"{"quant_method": "fp8", "activation_scheme": "static"}"#, "the activation_scheme static is not supported"),
    (#"{"quant_method": "fp8", "weight_block_size": [2]}"#, "expected two positive integers"),
    (#"{"quant_method": "fp8", "weight_block_size": [0, 3]}"#, "expected two positive integers"),
    (#"{"quant_method": "fp8", "weight_block_size": [2, 4]}"#, "\"a.weight_scale_inv\" of shape [3, 3] does not fit"),
    (#"{"quant_method": "fp8"}"#, "\"a.weight_scale_inv\" of shape [3, 3]: expected one factor"),
  ])
  func otherQuantizationsAreNamed(quantization: String, expected: String) throws {
    let directory = try TemporaryDirectory()
    try writeBytes(try readBytes(fixture("float8/model.safetensors")), "\(directory.path)/model.safetensors")
    try writeBytes("{\"quantization_config\": \(quantization)}".utf8, "\(directory.path)/config.json")
    let message = failure { _ = try openCheckpoint(directory.path) }
    #expect(message.hasPrefix(directory.path) && message.contains(expected), "\(message)")
  }

  @Test func aWeightWithoutFactorsIsNamed() throws {
    let directory = try TemporaryDirectory()
    let header = #"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#
    let length = withUnsafeBytes(of: UInt64(header.utf8.count)) { Array($0) }
    try writeBytes(length + Array(header.utf8) + [0x38], "\(directory.path)/model.safetensors")
    try writeBytes(#"{"quantization_config": {"quant_method": "fp8"}}"#.utf8, "\(directory.path)/config.json")
    #expect(failure { _ = try openCheckpoint(directory.path) }.contains("there is no \"a_scale_inv\""))
    // Without a description the numbers stand for themselves.
    try writeBytes("{}".utf8, "\(directory.path)/config.json")
    #expect(try openCheckpoint(directory.path).elements("a") == [1])
  }
}
