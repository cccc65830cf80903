import Checkpoints
import Glibc
import Testing
import Values

/// Writing model directories.
struct CheckpointWriterTests {
  private func tensor(_ name: String, _ values: [Float], shape: [Int]? = nil, _ type: ElementType = .float32)
    -> OutgoingTensor
  {
    OutgoingTensor(TensorInfo(name: name, shape: shape ?? [values.count], elementType: type)) { room in
      _ = room.update(from: values)
    }
  }

  private func read(_ name: String, of directory: String) throws -> [UInt32] {
    try openCheckpoint(directory).elements(name).map(\.bitPattern)
  }

  /// The data of a file with one tensor.
  private func data<Element: BitwiseCopyable>(_ path: String, as type: Element.Type) throws -> [Element] {
    try readBytes(path).withUnsafeBytes { bytes in
      let start = 8 + Int(bytes.loadUnaligned(as: UInt64.self))
      return stride(from: start, to: bytes.count, by: MemoryLayout<Element>.size).map {
        bytes.loadUnaligned(fromByteOffset: $0, as: type)
      }
    }
  }

  private func write(_ values: [Float], as type: ElementType, to directory: String) throws {
    try CheckpointWriter(config: Table(), tensors: [tensor("t", values, type)]).write(to: directory)
  }

  /// Writes a file whose one tensor has these bits.
  private func write16(_ bits: [UInt16], dtype: String, to directory: String) throws {
    let header = #"{"t":{"dtype":"\#(dtype)","shape":[\#(bits.count)],"data_offsets":[0,\#(2 * bits.count)]}}"#
    mkdir(directory, 0o777)
    try writeBytes("{}".utf8, "\(directory)/config.json")
    let length = withUnsafeBytes(of: UInt64(header.utf8.count)) { Array($0) }
    try writeBytes(length + Array(header.utf8) + bits.withUnsafeBytes { Array($0) }, "\(directory)/model.safetensors")
  }

  @Test func everyFloat16ComesThroughUnchanged() throws {
    let directory = try TemporaryDirectory()
    let bits = (0...UInt16.max).map { $0 }
    try write16(bits, dtype: "F16", to: "\(directory.path)/a")
    let values = try openCheckpoint("\(directory.path)/a").elements("t")
    let wrong = zip(bits, values).filter { bits, value in
      let half = Float16(bitPattern: bits)
      return half.isNaN ? !value.isNaN : value.bitPattern != Float(half).bitPattern
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(3))")
    try write(values, as: .float16, to: "\(directory.path)/b")
    #expect(try data("\(directory.path)/b/model.safetensors", as: UInt16.self) == bits)
  }

  @Test func everyBfloat16ComesThroughUnchanged() throws {
    let directory = try TemporaryDirectory()
    let bits = (0...UInt16.max).map { $0 }
    try write16(bits, dtype: "BF16", to: "\(directory.path)/a")
    let values = try openCheckpoint("\(directory.path)/a").elements("t")
    #expect(values.map(\.bitPattern) == bits.map { UInt32($0) << 16 })
    try write(values, as: .bfloat16, to: "\(directory.path)/b")
    #expect(try data("\(directory.path)/b/model.safetensors", as: UInt16.self) == bits)
  }

  /// float32 values of every exponent: random ones, and those at and around the middle between two neighbours of the
  /// 16-bit formats.
  private var hardValues: [Float] {
    var random = RandomStream(seed: 5)
    var bits: [UInt32] = [0, 1, 0x7F_FFFF, 0x7F80_0000, 0x7F7F_FFFF, 0x3300_0000, 0x3300_0001, 0x3380_0000]
    for exponent in 0..<255 as Range<UInt32> {
      for _ in 0..<60 {
        let mantissa = UInt32(truncatingIfNeeded: random.next()) & 0x7F_FFFF
        bits.append(exponent << 23 | mantissa)
        for place in 12..<23 as Range<UInt32> {
          let middle = mantissa & ~((2 << place) - 1) | 1 << place
          bits += [middle, middle - 1, middle + 1, middle | 2 << place].map { exponent << 23 | $0 & 0x7F_FFFF }
        }
      }
    }
    return bits.flatMap { [Float(bitPattern: $0), Float(bitPattern: $0 | 0x8000_0000)] }
  }

  @Test func float16IsRoundedToNearestEven() throws {
    let directory = try TemporaryDirectory()
    try write(hardValues, as: .float16, to: directory.path)
    let written = try data("\(directory.path)/model.safetensors", as: UInt16.self)
    let wrong = zip(hardValues, written).filter { Float16($0).bitPattern != $1 }
    #expect(wrong.isEmpty, "\(wrong.prefix(3))")
  }

  @Test func bfloat16IsRoundedToNearestEven() throws {
    let directory = try TemporaryDirectory()
    try write(hardValues, as: .bfloat16, to: directory.path)
    let written = try data("\(directory.path)/model.safetensors", as: UInt16.self)
    let wrong = zip(hardValues, written).filter { value, bits in
      let below = UInt16(truncatingIfNeeded: value.bitPattern >> 16)
      // Both neighbours as numbers; beyond the largest finite one the grid goes on.
      let low = Double(Float(bitPattern: UInt32(below) << 16))
      let next = Double(Float(bitPattern: UInt32(below + 1) << 16))
      let high = next.isFinite || value.isInfinite ? next : low.sign == .plus ? 0x1p128 : -0x1p128
      let toLow = abs(Double(value) - low)
      let toHigh = abs(high - Double(value))
      let isBelow = Double(value) == low || toLow < toHigh || toLow == toHigh && below & 1 == 0
      return bits != (isBelow ? below : below + 1)
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(3))")
  }

  @Test func nansStayNans() throws {
    let directory = try TemporaryDirectory()
    let nans = [0x7F80_0001, 0xFF80_0001, 0x7FC0_0000, 0x7FFF_FFFF, 0xFFC1_2345].map { Float(bitPattern: $0) }
    for type in [ElementType.float16, .bfloat16, .float32] {
      try write(nans, as: type, to: "\(directory.path)/model")
      let values = try openCheckpoint("\(directory.path)/model").elements("t")
      #expect(values.allSatisfy(\.isNaN) && values.map(\.sign) == nans.map(\.sign), "\(type)")
      if type == .float32 { #expect(values.map(\.bitPattern) == nans.map(\.bitPattern)) }
    }
  }

  @Test func tensorsFilesAndConfigurationComeBack() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/deep/down/model/"
    var config = Table()
    config["model_type"] = "llama"
    config["rms_norm_eps"] = 1e-5
    try CheckpointWriter(
      config: config,
      tensors: [
        tensor("half", [1, 2, 3], shape: [3, 1], .float16), tensor("whole", [0.1]), tensor("empty", [], shape: [0, 4]),
        tensor("scalar", [7], shape: [], .bfloat16),
      ],
      files: [("tokenizer.json", Array("{}".utf8)), ("generation_config.json", Array(#"{"eos_token_id": 5}"#.utf8))]
    ).write(to: path)
    let model = try openCheckpoint(path)
    #expect(Value.table(model.config) == .table(config))
    #expect(model.generationConfig?["eos_token_id"] == 5)
    #expect(model.tensors["half"] == TensorInfo(name: "half", shape: [3, 1], elementType: .float16))
    #expect(model.tensors["scalar"] == TensorInfo(name: "scalar", shape: [], elementType: .bfloat16))
    #expect(try model.elements("half") == [1, 2, 3])
    #expect(try model.elements("whole") == [0.1])
    #expect(try model.elements("empty") == [])
    #expect(try model.elements("scalar") == [7])
    #expect(directory.names("deep/down") == ["model"])
    #expect(
      directory.names("deep/down/model")
        == ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json"])
  }

  @Test func dataIsAlignedAndMarkedForPyTorch() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/model"
    for extra in 0..<9 {
      let name = "a" + String(repeating: "x", count: extra)
      try CheckpointWriter(
        config: Table(), tensors: [tensor(name, [1, 2, 3], .bfloat16), tensor("b", [1]), tensor("c", [5], .float16)]
      ).write(to: path)
      let bytes = try readBytes("\(path)/model.safetensors")
      let length = bytes.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
      #expect(length % 8 == 0)
      let header = try JSON.parse(bytes[8..<8 + length], source: "header")
      #expect(header["__metadata__"] == ["format": "pt"])
      #expect(header["b"]?["data_offsets"] == [0, 4])
      #expect(header[name]?["data_offsets"]?.array?.first?.integer.map { $0 % 2 } == 0)
    }
  }

  @Test func shardsHaveHuggingFaceNames() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/model"
    var writer = CheckpointWriter(
      config: Table(),
      tensors: [
        tensor("e", [1, 2]), tensor("d", [3, 4]), tensor("large", [5, 6, 7, 8, 9]), tensor("b", [10]),
        tensor("a", [11, 12, 13, 14], .float16),
      ])
    writer.maxShardBytes = 16
    try writer.write(to: path)
    #expect(
      directory.names("model") == [
        "config.json", "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
        "model-00003-of-00003.safetensors", "model.safetensors.index.json",
      ])
    let index = try JSON.parse(try readBytes("\(path)/model.safetensors.index.json"), source: "index")
    #expect(
      try JSON.print(index) == """
        {"metadata": {"total_size": 48}, "weight_map": {"a": "model-00003-of-00003.safetensors", \
        "b": "model-00003-of-00003.safetensors", "d": "model-00001-of-00003.safetensors", \
        "e": "model-00001-of-00003.safetensors", "large": "model-00002-of-00003.safetensors"}}
        """)
    let model = try openCheckpoint(path)
    #expect(try model.elements("e") == [1, 2])
    #expect(try model.elements("large") == [5, 6, 7, 8, 9])
    #expect(try model.elements("a") == [11, 12, 13, 14])

    // Saved again in one file, no old shard is left to contradict it.
    writer.maxShardBytes = 1 << 20
    try writer.write(to: path)
    #expect(directory.names("model") == ["config.json", "model.safetensors"])
    #expect(try openCheckpoint(path).elements("b") == [10])
  }

  @Test func tensorsAreAskedForOneAtATime() throws {
    let directory = try TemporaryDirectory()
    var asked: [String] = []
    let tensors = ["b", "a", "c"].map { name in
      OutgoingTensor(TensorInfo(name: name, shape: [4], elementType: .float32)) { room in
        asked.append(name)
        #expect(room.count == 4)
        room.initialize(repeating: Float(asked.count))
      }
    }
    try CheckpointWriter(config: Table(), tensors: tensors).write(to: "\(directory.path)/model")
    #expect(asked.sorted() == ["a", "b", "c"])
    let model = try openCheckpoint("\(directory.path)/model")
    for (index, name) in asked.enumerated() {
      #expect(try model.elements(name) == Array(repeating: Float(index + 1), count: 4))
    }
  }

  @Test func whatElseTheDirectoryHoldsSurvives() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/model"
    try write([1], as: .float32, to: path)
    chmod(path, 0o750)
    try writeBytes("hello".utf8, "\(path)/README.md")
    chmod("\(path)/README.md", 0o640)
    mkdir("\(path)/logs", 0o777)
    try writeBytes("deep".utf8, "\(path)/logs/log")
    symlink("README.md", "\(path)/link")
    symlink("nowhere", "\(path)/broken")
    let old = try openCheckpoint(path)
    try write([2], as: .float32, to: path)
    #expect(try read("t", of: path) == [Float(2).bitPattern])
    #expect(try readBytes("\(path)/README.md") == Array("hello".utf8))
    #expect(try readBytes("\(path)/logs/log") == Array("deep".utf8))
    #expect(try readBytes("\(path)/link") == Array("hello".utf8))
    #expect(directory.names("model") == ["README.md", "broken", "config.json", "link", "logs", "model.safetensors"])
    #expect(directory.names() == ["model"])
    var status = stat()
    lstat(path, &status)
    #expect(status.st_mode & 0o777 == 0o750)
    lstat("\(path)/README.md", &status)
    #expect(status.st_mode & 0o777 == 0o640)
    lstat("\(path)/link", &status)
    #expect(status.st_mode & S_IFMT == S_IFLNK)
    // What was opened before is read as it was.
    #expect(try old.elements("t") == [1])
  }

  @Test func aFailureLeavesTheOldDirectoryAlone() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/model"
    let failing = CheckpointWriter(
      config: Table(),
      tensors: [
        tensor("t", [9]),
        OutgoingTensor(TensorInfo(name: "u", shape: [1], elementType: .float32)) { _ throws(GRAOError) in
          throw GRAOError("no elements")
        },
      ])
    #expect(failure { try failing.write(to: path) } == "no elements")
    #expect(directory.names() == [])
    try write([1], as: .float32, to: path)
    let before = try readBytes("\(path)/model.safetensors")
    #expect(failure { try failing.write(to: path) } == "no elements")
    #expect(directory.names() == ["model"])
    #expect(directory.names("model") == ["config.json", "model.safetensors"])
    #expect(try readBytes("\(path)/model.safetensors") == before)
  }

  @Test func onlyModelDirectoriesAreReplaced() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    mkdir("\(path)/other", 0o777)
    try writeBytes("x".utf8, "\(path)/other/precious")
    #expect(failure { try write([1], as: .float32, to: "\(path)/other") }.contains("no config.json"))
    #expect(directory.names("other") == ["precious"])
    try writeBytes("x".utf8, "\(path)/file")
    #expect(failure { try write([1], as: .float32, to: "\(path)/file") }.contains("found a file"))
    #expect(failure { try write([1], as: .float32, to: "\(path)/file/model") }.contains("file: expected a directory"))
    symlink("nowhere", "\(path)/broken")
    #expect(failure { try write([1], as: .float32, to: "\(path)/broken") }.contains("leads nowhere"))
    #expect(failure { try write([1], as: .float32, to: "") }.contains("empty string"))
    mkdir("\(path)/empty", 0o777)
    try write([1], as: .float32, to: "\(path)/empty")
    #expect(directory.names("empty") == ["config.json", "model.safetensors"])
    #expect(directory.names() == ["broken", "empty", "file", "other"])
  }

  @Test func aLinkToADirectoryIsFollowed() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    try write([1], as: .float32, to: "\(path)/real")
    symlink("real", "\(path)/link")
    try write([2], as: .float32, to: "\(path)/link")
    #expect(try read("t", of: "\(path)/real") == [Float(2).bitPattern])
    var status = stat()
    lstat("\(path)/link", &status)
    #expect(status.st_mode & S_IFMT == S_IFLNK)
  }

  @Test func whatCannotBeSavedIsNamed() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/model"
    func message(_ tensors: [OutgoingTensor], files: [(name: String, bytes: [UInt8])] = []) -> String {
      failure { try CheckpointWriter(config: Table(), tensors: tensors, files: files).write(to: path) }
    }
    #expect(message([tensor("t", [1]), tensor("t", [1])]).contains("two tensors named \"t\""))
    #expect(message([tensor("t", [1], .quantized)]).contains("\"t\" of shape [1] as quantized"))
    #expect(message([tensor("t", [1], shape: [1 << 40, 1 << 40])]).contains("cannot save tensor \"t\""))
    #expect(message([tensor("t", [1], shape: [-1])]).contains("cannot save tensor \"t\""))
    for name in [
      "", "a/b/c", "/a", "a/..", "..", "config.json", "model.safetensors", "model-00001-of-00002.safetensors",
    ] {
      #expect(message([], files: [(name, [])]).contains("cannot save a file \"\(name)\""))
    }
    var config = Table()
    config["rope_theta"] = .number(.nan)
    #expect(failure { try CheckpointWriter(config: config, tensors: []).write(to: path) }.contains("no form for"))
    #expect(directory.names() == [])
  }

  @Test func savedTypesAreThoseThatTheWriterHas() {
    #expect(ElementType.allCases.map(\.saved) == [.float32, .float16, .bfloat16, .float32, .float32])
  }
}
