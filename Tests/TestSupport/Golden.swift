import Checkpoints
import Foundation
import Kernels
import Models
import Testing
import Values

/// A tiny checkpoint and what PyTorch says of it; Tests/Fixtures/README.md has the formats.
struct Golden {
  let network: Network
  let json: Value
  let folder: String

  static var models: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/models").path
  }

  init(_ name: String) throws {
    folder = Golden.models + "/" + name
    network = try Golden.network(folder)
    json = try JSON.parse(Data(contentsOf: URL(fileURLWithPath: folder + "/golden.json")), source: "golden.json")
  }

  static func network(_ folder: String) throws -> Network {
    let checkpoint = try openCheckpoint(folder)
    let network = try Network(Configuration(checkpoint.config, source: folder))
    try network.load(checkpoint)
    return network
  }

  struct Sequence {
    let prompt: [Int32]
    let completion: [Int32]
    let coefficients: [Float]
    let json: Value
    var tree: SequenceTree { SequenceTree(prompt: prompt, branches: [completion]) }
  }

  func sequences() throws -> [Sequence] {
    try #require(json["sequences"]?.array).map { value in
      Sequence(
        prompt: try ids(value["prompt"]), completion: try ids(value["completion"]),
        coefficients: try numbers(value["coefficients"]).map(Float.init), json: value)
    }
  }

  /// The sequences as training runs over them: the first two share their prompt.
  func trees() throws -> [SequenceTree] {
    let sequences = try sequences()
    return [
      SequenceTree(prompt: sequences[0].prompt, branches: [sequences[0].completion, sequences[1].completion]),
      sequences[2].tree,
    ]
  }
}

func ids(_ value: Value?) throws -> [Int32] {
  try #require(value?.array).map { Int32(try #require($0.integer)) }
}

func numbers(_ value: Value?) throws -> [Double] {
  try #require(value?.array).map { try #require($0.number) }
}

func largestDifference(_ a: some Swift.Sequence<Float>, _ b: some Swift.Sequence<Float>) -> Float {
  zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

extension ParameterStore {
  /// A parameter's gradient, row-major.
  func gradient(_ parameter: Parameter) -> [Float] {
    var tensor = [Float](repeating: 0, count: parameter.count)
    tensor.withUnsafeMutableBufferPointer { get(parameter, into: $0, of: allGradients) }
    return tensor
  }

  func value(_ parameter: Parameter) -> [Float] {
    var tensor = [Float](repeating: 0, count: parameter.count)
    tensor.withUnsafeMutableBufferPointer { get(parameter, into: $0) }
    return tensor
  }
}

/// The tensors of a golden.safetensors.
struct GoldenTensors {
  private let file: SafetensorsFile

  init(_ folder: String, file: String = "golden.safetensors") throws {
    self.file = try SafetensorsFile("\(folder)/\(file)")
  }

  func values(_ name: String) throws -> [Float] {
    let entry = try #require(file.entries[name], "\(name)")
    var values = [Float](repeating: 0, count: entry.info.elementCount)
    try values.withUnsafeMutableBufferPointer { try file.read(entry, into: $0) }
    return values
  }
}
