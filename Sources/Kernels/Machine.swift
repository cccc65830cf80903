import CKernels
import Values

/// The CPU as the engine uses it: which kernels run, on how many threads, and who computes the gradient products.
///
/// Every operation works without a call of ``setUp()``, on the best kernels this CPU can run.
public enum Machine {
  /// Reads the environment: `GRAO_KERNELS` ("avx512bf16", "avx512", "avx2", "neon" or "plain") forces a variant of the kernels,
  /// `GRAO_GRADIENTS` ("own" or "openblas") says who computes the gradient products.
  ///
  /// - Throws: ``GRAOError`` where a variable names something unknown, or something this machine lacks.
  public static func setUp() throws(GRAOError) {
    if let problem = gk_setup() { throw GRAOError(String(cString: problem)) }
  }

  /// Threads that operations use, the caller's included; at least 1. The CPUs that this process may run on, unless
  /// set. Results never depend on it.
  public static var threads: Int {
    get { Int(gk_threads()) }
    set { gk_set_threads(Int32(clamping: newValue)) }
  }

  /// The kernels in use: "avx512bf16", "avx512", "avx2", "neon" or "plain".
  public static var variant: String { String(cString: gk_variant()) }

  /// Who computes the gradient products: "own" or "openblas".
  public static var gradients: String { String(cString: gk_gradients()) }
}
