import Kernels
import Testing

@testable import Models

/// The gradients' memory while it is lent to layers' rows.
struct LentGradientsTests {
  private let layers = 4

  /// Layers of a vector and two matrices, between others.
  private func store(_ computeType: ComputeType) throws -> ParameterStore {
    let store = ParameterStore(computeType: computeType)
    _ = store.matrix("embedding.weight", 64, 32)
    for layer in 0..<layers {
      store.beginLayer()
      _ = store.vector("\(layer).norm.weight", 32, .ones)
      _ = store.matrix("\(layer).in.weight", 64, 32)
      _ = store.matrix("\(layer).out.weight", 32, 64)
    }
    store.beginLayer()
    _ = store.vector("norm.weight", 32, .ones)
    _ = store.matrix("head.weight", 64, 32)
    try store.allocate()
    return store
  }

  private func gradients(_ store: ParameterStore, ofLayer layer: Int) -> [Matrix] {
    store.parameters.filter { $0.placement.tensor.hasPrefix("\(layer).") && $0.kind == .matrix }
      .map { store.part($0, of: store.allGradients) }
  }

  private func fill(_ matrix: Matrix, _ value: Float) { matrix.start.update(repeating: value, count: matrix.count) }

  /// What a layer is lent is its own until its gradients are to be written, and 0 when they are.
  @Test(arguments: ComputeType.allCases)
  func aLayersRowsLieBeforeItsGradients(_ computeType: ComputeType) throws {
    let store = try store(computeType)
    fill(store.allGradients, 5)
    // Two matrices' gradients are 4,096 floats: there is room for what follows the layers, and for all but the first two.
    let lent = (0...layers).reversed().map { store.lend(7, 600, toLayer: $0) }
    #expect(lent.map { $0 != nil } == [true, true, true, false, false])
    for (index, matrix) in lent.enumerated() { matrix.map { fill($0, Float(index + 10)) } }
    store.zeroGradients()

    for layer in (0..<layers).reversed() {
      for earlier in 0...layer {
        guard let matrix = lent[layers - earlier] else { continue }
        let isWhole = matrix.elements.allSatisfy { $0 == Float(layers - earlier + 10) }
        #expect(isWhole, "layer \(earlier)'s before layer \(layer)'s gradients")
      }
      store.takeBack(fromLayer: layer)
      let areZero = gradients(store, ofLayer: layer).allSatisfy { $0.elements.allSatisfy { $0 == 0 } }
      #expect(areZero)
      for gradient in gradients(store, ofLayer: layer) { fill(gradient, 1) }
    }
    store.takeBack(fromLayer: 0)
    for parameter in store.parameters {
      let isLayers = parameter.placement.tensor.first?.isNumber == true && parameter.kind == .matrix
      let isAsWritten = store.part(parameter, of: store.allGradients).elements.allSatisfy { $0 == (isLayers ? 1 : 0) }
      #expect(isAsWritten, "\(parameter.placement.tensor)")
    }
    store.zeroGradients()
    let isZero = store.allGradients.elements.allSatisfy { $0 == 0 }
    #expect(isZero)
  }

  /// What nobody has come back for is given back at once.
  @Test func allIsGivenBack() throws {
    let store = try store(.float32)
    for layer in (1...layers).reversed() { store.lend(4, 600, toLayer: layer).map { fill($0, 3) } }
    store.takeBack(fromLayer: 0)
    let isZero = store.allGradients.elements.allSatisfy { $0 == 0 }
    #expect(isZero)
    #expect(store.lend(1, 1 << 20, toLayer: layers) == nil)
    #expect(store.lend(1, 16, toLayer: 0) == nil)
  }
}
