import Kernels
import Models
import TestSupport
import Testing

/// Layers whose activations are computed again on the way back.
@Suite(.machine) struct RecomputeTests {
  /// The same bits of every gradient, the routers' losses among them, and the same record of what the routers did.
  @Test(arguments: Golden.architectures) func theGradientsAreTheSameBits(_ name: String) throws {
    let golden = try Golden(architecture: name)
    let (sequences, parameters) = (try golden.sequences(), golden.network.parameters)
    var loads: [[[Int]]] = []
    let gradients = try [false, true].map { recomputes in
      parameters.zeroGradients()
      golden.network.accumulateGradient(
        try golden.trees(), routerLosses: RouterLosses(auxiliary: 0.5, z: 0.25), recomputes: recomputes
      ) { scored in
        loads.append(scored.routers.layers.map(\.load))
        return [[sequences[0].coefficients, sequences[1].coefficients], [sequences[2].coefficients]]
      }
      return parameters.tensors.filter(\.isTrained).map { parameters.gradient($0).map(\.bitPattern) }
    }
    #expect(gradients[0].allSatisfy { $0.contains { $0 != 0 } }, "a parameter without a gradient proves nothing")
    let same = gradients[0] == gradients[1]
    #expect(same)
    #expect(loads[0] == loads[1])
  }
}
