import Checkpoints
import Foundation
import Kernels
import Models
import Testing
import Values

/// A tiny checkpoint and what PyTorch says of it; Tests/Fixtures/README.md has the formats.
package struct Golden {
  package let network: Network
  package let json: Value
  package let folder: String

  package static let models = Fixtures.path("models")

  package init(_ name: String) throws {
    folder = Fixtures.model(name)
    network = try Golden.network(folder)
    json = try Fixtures.json("models/\(name)/golden.json")
  }

  /// The checkpoints of Fixtures/architectures, one or more for each architecture.
  package static let architectures = Fixtures.names("architectures")

  package init(architecture name: String) throws {
    folder = Fixtures.path("architectures/\(name)")
    network = try Golden.network(folder)
    json = try Fixtures.json("architectures/\(name)/golden.json")
  }

  package static func network(_ folder: String) throws -> Network {
    try Network.load(openCheckpoint(folder))
  }

  package struct Sequence {
    package let prompt: [Int32]
    package let completion: [Int32]
    package let coefficients: [Float]
    package let json: Value
    package var tree: SequenceTree { SequenceTree(prompt: prompt, branches: [completion]) }
  }

  package func sequences() throws -> [Sequence] {
    try #require(json["sequences"]?.array).map { value in
      Sequence(
        prompt: try ids(value["prompt"]), completion: try ids(value["completion"]),
        coefficients: try numbers(value["coefficients"]).map(Float.init), json: value)
    }
  }

  /// The sequences as training runs over them: the first two share their prompt.
  package func trees() throws -> [SequenceTree] {
    let sequences = try sequences()
    return [
      SequenceTree(prompt: sequences[0].prompt, branches: [sequences[0].completion, sequences[1].completion]),
      sequences[2].tree,
    ]
  }
}

/// The architectures that there are, as messages name them.
package let modelTypes = architectures.map { $0.modelType }.joined(separator: ", ")

package func ids(_ value: Value?) throws -> [Int32] {
  try #require(value?.array).map { Int32(try #require($0.integer)) }
}

package func numbers(_ value: Value?) throws -> [Double] {
  try #require(value?.array).map { try #require($0.number) }
}

package func largestDifference(_ a: some Swift.Sequence<Float>, _ b: some Swift.Sequence<Float>) -> Float {
  zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

extension ParameterStore {
  /// A parameter's gradient, row-major.
  package func gradient(_ parameter: Parameter) -> [Float] {
    var tensor = [Float](repeating: 0, count: parameter.count)
    tensor.withUnsafeMutableBufferPointer { get(parameter, into: $0, of: allGradients) }
    return tensor
  }

  /// A tensor's gradient, row-major.
  package func gradient(_ tensor: StoredTensor) -> [Float] {
    var elements = [Float](repeating: 0, count: tensor.count)
    elements.withUnsafeMutableBufferPointer { get(tensor, into: $0, of: allGradients) }
    return elements
  }

  package func value(_ parameter: Parameter) -> [Float] {
    var tensor = [Float](repeating: 0, count: parameter.count)
    tensor.withUnsafeMutableBufferPointer { get(parameter, into: $0) }
    return tensor
  }
}

/// The tensors of a golden.safetensors.
package struct GoldenTensors {
  private let file: SafetensorsFile

  package init(_ folder: String, file: String = "golden.safetensors") throws {
    self.file = try SafetensorsFile("\(folder)/\(file)")
  }

  package var names: [String] { file.entries.keys.sorted() }

  package func values(_ name: String) throws -> [Float] {
    let entry = try #require(file.entries[name], "\(name)")
    var values = [Float](repeating: 0, count: entry.info.elementCount)
    try values.withUnsafeMutableBufferPointer { try file.read(entry, into: $0) }
    return values
  }
}
