import Glibc
import Testing
import Values

@testable import Checkpoints

/// Every architecture against llama.cpp's own converter (Tests/Oracles/make_gguf_converted.py): what it made of a
/// checkpoint is read as that checkpoint, and the checkpoint is written as it.
struct GGUFGoldenTests {
  static let names = list(folder("")).sorted()

  private static func folder(_ name: String) -> String { fixture("../gguf_converted/\(name)") }

  /// The elements of a file's tensors by their GGUF names, as bits.
  private func contents(_ path: String) throws -> (metadata: Table, tensors: [String: (shape: [Int], bits: [UInt32])]) {
    let file = try GGUFFile(try MappedFile(path))
    var tensors: [String: (shape: [Int], bits: [UInt32])] = [:]
    for tensor in file.tensors {
      var elements = [Float](repeating: .nan, count: tensor.shape.reduce(1, *))
      try elements.withUnsafeMutableBufferPointer { try file.read(tensor, from: 0, into: $0) }
      tensors[tensor.name] = (tensor.shape, elements.map(\.bitPattern))
    }
    return (file.metadata, tensors)
  }

  @Test(arguments: names) func aConvertedFileIsReadAsItsCheckpoint(name: String) throws {
    let original = try openCheckpoint(Self.folder(name))
    let converted = try openCheckpoint(Self.folder("\(name)/converted.gguf"))
    #expect(converted.tensors == original.tensors)
    for tensor in original.tensors.keys.sorted() {
      #expect(
        try converted.elements(tensor).map(\.bitPattern) == original.elements(tensor).map(\.bitPattern), "\(tensor)")
    }
    for (key, value) in converted.config where key != "torch_dtype" {
      if key == "rope_scaling" || key == "rope_theta" { continue }
      guard let expected = original.config.given(key) else { continue }
      #expect(value == expected, "\(key)")
    }
    let (rope, expected) = (try RotaryTable(converted.config), try RotaryTable(original.config))
    #expect(rope.base == expected.base && rope.type == expected.type && rope.slidingBase == expected.slidingBase)
    #expect(rope.partialFactor == expected.partialFactor)
    for (key, value) in expected.scaling where !["rope_type", "type", "partial_rotary_factor"].contains(key) {
      #expect(rope.scaling[key] == value, "\(key)")
    }
  }

  @Test(arguments: names) func aCheckpointIsWrittenAsConverted(name: String) throws {
    let directory = try TemporaryDirectory()
    let original = try openCheckpoint(Self.folder(name))
    let path = "\(directory.path)/model.gguf"
    try writer(original, .f32).write(to: path)
    let (expected, written) = (try contents(Self.folder("\(name)/converted.gguf")), try contents(path))
    #expect(written.tensors.keys.sorted() == expected.tensors.keys.sorted())
    for (tensor, contents) in expected.tensors {
      #expect(written.tensors[tensor]?.shape == contents.shape, "\(tensor)")
      guard tensor != "rope_freqs.weight" else { continue }
      #expect(written.tensors[tensor]?.bits == contents.bits, "\(tensor)")
    }
    for (key, value) in expected.metadata {
      // What the file is called and how big it is.
      if key.hasPrefix("general."), key != "general.architecture", key != "general.file_type" { continue }
      #expect(written.metadata[key] == value, "\(key)")
    }
    #expect(directory.names() == ["model.gguf"])
  }

  @Test(arguments: names, GGUFElementType.allCases)
  func whatIsWrittenIsReadAgain(name: String, type: GGUFElementType) throws {
    let directory = try TemporaryDirectory()
    let original = try openCheckpoint(Self.folder(name))
    let path = "\(directory.path)/model.gguf"
    try writer(original, type).write(to: path)
    let again = try openCheckpoint(path)
    #expect(again.tensors.mapValues(\.shape) == original.tensors.mapValues(\.shape))
    for tensor in original.tensors.keys {
      let (a, b) = (try original.elements(tensor), try again.elements(tensor))
      let largest = a.map(abs).max() ?? 0
      // The originals have eight bits of mantissa: bfloat16 and float16 hold them.
      // Half a step of Q8_0, whose size is a float16.
      let tolerance: Float = type == .q80 ? largest / 127 * 0.57 : type == .f16 ? 0x1p-25 : 0
      #expect(zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }, "\(tensor)")
    }
    // Read and written again it is the same file.
    let second = "\(directory.path)/second.gguf"
    try writer(again, type, tokenizer: again).write(to: second)
    #expect(try readBytes(second) == readBytes(path))
  }

  private func writer(_ model: any Checkpoint, _ type: GGUFElementType, tokenizer: (any Checkpoint)? = nil)
    -> GGUFWriter
  {
    var keys = Table()
    if case .gguf(let metadata)? = tokenizer?.tokenizer { keys = metadata }
    return GGUFWriter(
      config: model.config,
      tensors: model.tensors.values.map { info in
        OutgoingTensor(info) { room throws(GRAOError) in try model.read(info.name, into: room) }
      }, tokenizer: keys, elementType: type)
  }
}
