import CKernels
import TestSupport
import Testing

/// Every test of the kernels nests here: they switch the variant and the threads of the whole process.
@Suite(.machine) struct KernelSuite {}

/// The kernel variants that this CPU runs.
let variants: [String] = {
  let best = String(cString: gk_variant())
  defer { gk_use_variant(best) }
  return ["avx512", "avx2", "neon", "plain"].filter { gk_use_variant($0) }
}()

/// With that which differs in the products of bfloat16 alone.
let bfloat16Variants: [String] = {
  let best = String(cString: gk_variant())
  defer { gk_use_variant(best) }
  return (gk_use_variant("avx512bf16") ? ["avx512bf16"] : []) + variants
}()

/// Runs `body` with these settings, then puts back the ones before.
func with<Result>(
  variant: String? = nil, threads: Int32? = nil, gradients: String? = nil, _ body: () throws -> Result
) rethrows -> Result {
  let before = (String(cString: gk_variant()), gk_threads(), String(cString: gk_gradients()))
  defer {
    gk_use_variant(before.0)
    gk_set_threads(before.1)
    gk_use_gradients(before.2)
  }
  if let variant { #expect(gk_use_variant(variant)) }
  if let threads { gk_set_threads(threads) }
  if let gradients { #expect(gk_use_gradients(gradients)) }
  return try body()
}

/// Numbers for tests: the same on every run.
struct Numbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_F491_4F6C_DD1D
  }

  mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % bound }

  /// Integers from -4 to 4: products and their sums are exact in single precision, whatever the order.
  mutating func integers(_ count: Int) -> [Float] { (0..<count).map { _ in Float(below(9) - 4) } }

  /// Uniform in [-1, 1).
  mutating func reals(_ count: Int) -> [Float] { (0..<count).map { _ in Float(next() >> 40) / 8_388_608 - 1 } }
}

extension [Float] {
  var doubles: [Double] { map(Double.init) }

  /// The numbers as bits: NaN equals itself, and 0 differs from -0.
  var bits: [UInt32] { map(\.bitPattern) }
}
