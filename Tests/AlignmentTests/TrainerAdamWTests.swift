import Kernels
import TestSupport
import Testing
import Values

extension TrainerSuite {
  /// The kernel's AdamW, given norm and clipping as the optimizer gives them, against torch.
  @Suite struct AdamW {
    @Test func torchsSteps() throws {
      let cases = try #require(Fixtures.json("adamw.json")["cases"]?.array)
      #expect(cases.count == 10)
      for given in cases { try check(given) }
    }

    private func check(_ given: Value) throws {
      let options = try #require(given["options"]?.table)
      let betas = try numbers(options["betas"])
      let names = ["matrix", "vector"]
      let workspace = Workspace()
      func row(_ values: [Double]) -> Matrix {
        let matrix = workspace.matrix(1, values.count)
        for (index, value) in values.enumerated() { matrix.start[index] = Float(value) }
        return matrix
      }
      let weights = try names.map { row(try numbers(given["initial"]?[$0])) }
      let first = weights.map { workspace.zeros(1, $0.count) }
      let second = weights.map { workspace.zeros(1, $0.count) }
      for (index, step) in try #require(given["steps"]?.array).enumerated() {
        let gradients = try names.map { row(try numbers(step["gradients"]?[$0])) }
        let norm = gradients.reduce(0) { $0 + sumOfSquares($1) }.squareRoot()
        let expectedNorm = try #require(step["float32"]?["grad_norm"]?.number)
        #expect(abs(norm - expectedNorm) <= 2e-7 * expectedNorm)
        let scale = options["max_grad_norm"]?.number.map { min(1, $0 / (norm + 1e-6)) } ?? 1
        var (correction1, correction2) = (1.0, 1.0)
        for _ in 0...index { (correction1, correction2) = (correction1 * betas[0], correction2 * betas[1]) }
        for tensor in names.indices {
          let isFinite = adamW(
            weights[tensor], g: gradients[tensor], m: first[tensor], v: second[tensor],
            step: AdamWStep(
              learning_rate: try #require(step["learning_rate"]?.number), beta1: betas[0], beta2: betas[1],
              epsilon: try options.number("eps"), weight_decay: tensor == 0 ? try options.number("weight_decay") : 0,
              gradient_scale: scale, bias_correction1: 1 - correction1, bias_correction2: 1 - correction2,
              number: UInt32(index + 1)))
          #expect(isFinite)
          // The fixture's float32 and float64 differ by 4e-7 at most.
          for precision in ["float32", "float64"] {
            let expected = try numbers(step[precision]?["after"]?[names[tensor]]).map { Float($0) }
            #expect(largestDifference(weights[tensor].elements, expected) < 5e-7, "\(given["name"]?.string ?? "")")
          }
        }
      }
    }
  }
}
