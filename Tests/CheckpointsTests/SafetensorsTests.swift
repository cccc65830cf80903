import Checkpoints
import Glibc
import Testing
import Values

/// Reading Hugging Face directories.
struct SafetensorsTests {
  @Test func everyDtypeIsReadBitForBit() throws {
    let model = try openCheckpoint(fixture("single"))
    #expect(model.tensors.count == 6)
    #expect(model.tensors["a.half"] == TensorInfo(name: "a.half", shape: [3, 4], elementType: .float16))
    #expect(model.tensors["b.brain"] == TensorInfo(name: "b.brain", shape: [2, 2, 3], elementType: .bfloat16))
    #expect(model.tensors["c.whole"] == TensorInfo(name: "c.whole", shape: [8], elementType: .float32))
    #expect(model.tensors["d.scalar"]?.shape == [])
    #expect(model.tensors["e.empty"]?.shape == [0, 3])
    #expect(try model.bits { $0.elementType != .other } == readBits(fixture("single.golden")))
  }

  @Test func configurationsAreRead() throws {
    let model = try openCheckpoint(fixture("single"))
    #expect(model.path == fixture("single"))
    #expect(model.config["hidden_size"] == 4)
    #expect(model.generationConfig?["eos_token_id"] == [2, 7])
    guard case .none = model.tokenizer else {
      Issue.record("a tokenizer where there is none")
      return
    }
    #expect(try openCheckpoint(fixture("sharded")).generationConfig == nil)
  }

  @Test func aDirectoryWithTokenizerFilesTellsSo() throws {
    let directory = try copy(of: "single")
    try writeBytes("{}".utf8, "\(directory.path)/tokenizer.json")
    guard case .directory(let path) = try openCheckpoint(directory.path).tokenizer else {
      Issue.record("no tokenizer")
      return
    }
    #expect(path == directory.path)
  }

  @Test func shardsAreReadAsOne() throws {
    let model = try openCheckpoint(fixture("sharded"))
    #expect(model.tensors.keys.sorted() == ["layer.0", "layer.1", "layer.2"])
    #expect(try model.bits() == readBits(fixture("sharded.golden")))
  }

  @Test func aDtypeThatIsNotReadIsNamed() throws {
    let model = try openCheckpoint(fixture("single"))
    #expect(model.tensors["f.mask"]?.elementType == .other)
    #expect(failure { _ = try model.elements("f.mask") }.contains("tensor \"f.mask\" has the dtype BOOL"))
  }

  @Test func readingNeedsTheRightNameAndRoom() throws {
    let model = try openCheckpoint(fixture("single"))
    let room = UnsafeMutableBufferPointer<Float>.allocate(capacity: 11)
    defer { room.deallocate() }
    #expect(failure { try model.read("a.half", into: room) }.contains("\"a.half\" has 12 elements [3, 4]"))
    #expect(failure { try model.read("nothing", into: room) }.contains("there is no tensor \"nothing\""))
  }

  @Test func whatIsNotAModelIsNamed() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    #expect(failure { _ = try openCheckpoint("\(path)/none") }.contains("\(path)/none: there is no such file"))
    #expect(failure { _ = try openCheckpoint(path) }.contains("there is no config.json"))
    try writeBytes("[]".utf8, "\(path)/config.json")
    #expect(failure { _ = try openCheckpoint(path) }.contains("\(path)/config.json: expected an object"))
    try writeBytes("{".utf8, "\(path)/config.json")
    #expect(failure { _ = try openCheckpoint(path) }.contains("\(path)/config.json: line 1"))
    try writeBytes("{}".utf8, "\(path)/config.json")
    #expect(failure { _ = try openCheckpoint(path) }.contains("neither model.safetensors nor"))
    try writeBytes([], "\(path)/model.safetensors")
    #expect(failure { _ = try openCheckpoint(path) }.contains("model.safetensors: 0 bytes long"))
    #expect(failure { _ = try openCheckpoint("\(path)/model.safetensors") }.contains("give the directory"))
    #expect(failure { _ = try openCheckpoint("\(path)/config.json") }.contains("expected a model directory or a GGUF"))
  }

  @Test func faultsOfAnIndexAreNamed() throws {
    let directory = try copy(of: "sharded")
    let index = "\(directory.path)/model.safetensors.index.json"
    func map(_ pairs: String) -> [UInt8] { Array("{\"weight_map\": {\(pairs)}}".utf8) }
    func message() -> String { failure { _ = try openCheckpoint(directory.path) } }
    try writeBytes(map("\"layer.0\": \"model-00009-of-00009.safetensors\""), index)
    #expect(message().contains("\"layer.0\" should be in model-00009-of-00009.safetensors, but there is no such file"))
    try writeBytes(map("\"layer.2\": \"model-00001-of-00002.safetensors\""), index)
    #expect(message().contains("\"layer.2\" should be in model-00001-of-00002.safetensors, but is not"))
    try writeBytes(map("\"layer.2\": \"../model.safetensors\""), index)
    #expect(message().contains("expected the name of a file in the directory"))
    try writeBytes(map("\"layer.2\": 3"), index)
    #expect(message().contains("expected the name of a file in the directory"))
    try writeBytes("{}".utf8, index)
    #expect(message().contains("expected an object \"weight_map\""))
    let first = "model-00001-of-00002.safetensors"
    try writeBytes(try readBytes("\(directory.path)/\(first)"), "\(directory.path)/copy.safetensors")
    try writeBytes(map("\"layer.0\": \"\(first)\", \"layer.1\": \"copy.safetensors\""), index)
    #expect(message().contains("tensor \"layer.1\" is not where \(index) says"))
    // A shard may hold no more than the index says either.
    try writeBytes(map("\"layer.0\": \"\(first)\""), index)
    #expect(message().contains("\(first): tensor \"layer.1\" is not where \(index) says"))
  }

  @Test(arguments: [
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "4 bytes do not fit the shape [2] of F32"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "ends at byte 4 of the data"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5, "1 bytes after the last tensor"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "\"a\" leaves a hole before it"),
    (
      #"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"F16","shape":[2],"data_offsets":[2,6]}}"#,
      6,
      "\"b\" overlaps"
    ),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "two ascending integers"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, 4, "two ascending integers"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4, "two ascending integers"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775807]}}"#, 4, "ends at byte"),
    (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "none of them negative"),
    (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4, "integers"),
    (#"{"a":{"dtype":"F32","shape":4,"data_offsets":[0,4]}}"#, 4, "an array \"shape\""),
    (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0, "do not fit the shape"),
    (#"{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}}"#, 4, "the unknown dtype \"F7\""),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
      4,
      "the key \"a\" stands there twice"
    ),
    (#"{"a":{"dtype":32,"shape":[1],"data_offsets":[0,4]}}"#, 4, "a string \"dtype\""),
    (#"{"a":4}"#, 0, "a string \"dtype\""),
    ("[]", 0, "header: expected an object"),
    ("{", 0, "header: line 1"),
  ])
  func faultsOfAHeaderAreNamed(header: String, dataCount: Int, expected: String) throws {
    let directory = try TemporaryDirectory()
    try writeBytes("{}".utf8, "\(directory.path)/config.json")
    let length = withUnsafeBytes(of: UInt64(header.utf8.count)) { Array($0) }
    let path = "\(directory.path)/model.safetensors"
    try writeBytes(length + Array(header.utf8) + [UInt8](repeating: 0, count: dataCount), path)
    let message = failure { _ = try openCheckpoint(directory.path) }
    #expect(message.hasPrefix(path) && message.contains(expected), "\(message)")
  }

  @Test func aFileCutOffAnywhereIsRefused() throws {
    let directory = try copy(of: "single")
    let path = "\(directory.path)/model.safetensors"
    for count in (0..<(try readBytes(path).count)).reversed() {
      truncate(path, count)
      #expect(failure { _ = try openCheckpoint(directory.path) }.contains("model.safetensors"))
    }
  }

  @Test func noByteOfAHeaderCanDoHarm() throws {
    let directory = try copy(of: "single")
    let path = "\(directory.path)/model.safetensors"
    let bytes = try readBytes(path)
    for position in bytes.indices {
      for value in [0, 0xFF, bytes[position] ^ 1, UInt8(ascii: "9")] {
        var damaged = bytes
        damaged[position] = value
        try writeBytes(damaged, path)
        readEverything(directory.path)
      }
    }
  }

  private func copy(of name: String) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    for file in list(fixture(name)) {
      try writeBytes(try readBytes(fixture("\(name)/\(file)")), "\(directory.path)/\(file)")
    }
    return directory
  }
}
