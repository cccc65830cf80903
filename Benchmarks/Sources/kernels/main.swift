import CKernels
import Measuring

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

let usage = """
  Usage: kernels [--threads N] [--help]

  Measures this machine's peak of multiply-adds and its reading bandwidth, then the products of the engine, in GFLOP/s
  and per cent of that peak: forward, and the gradients of input and weights by the engine's kernels and by OpenBLAS;
  then the same in bfloat16, beside the peak of bfloat16.

    --threads N   threads to use (default: 1)

  GRAO_KERNELS=avx512bf16|avx512|avx2|neon|plain forces a variant of the kernels.
  """

/// Ends with a message on stderr.
func fail(_ message: String) -> Never {
  let line = "kernels: \(message)\n"
  _ = write(2, line, line.utf8.count)
  exit(2)
}

/// Right-aligned in `width` columns.
func right(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

/// "95.1 81%" in 12 columns.
func cell(_ flops: Double, _ time: Double, of peak: Double) -> String {
  let rate = flops / time * 1e-9
  return right("\((rate * 10).rounded() / 10) \(right("\(Int((100 * rate / peak).rounded()))", 3))%", 12)
}

/// One line for each number of rows: a product of w[n, c] and its gradients.
func measure(n: Int, c: Int, peak: Double) {
  let w = [Float](repeating: 0.5, count: gk_packed_count(n, c))
  var dw = w
  for rows in [1, 8, 12, 16, 64, 512] {
    var x = [Float](repeating: 0.25, count: rows * c)
    var y = [Float](repeating: 0, count: rows * n)
    let flops = 2 * Double(rows) * Double(n) * Double(c)
    var line = right("\(n)", 6) + right("\(c)", 6) + right("\(rows)", 5)
    line += cell(flops, seconds { gk_product(x, w, nil, &y, rows, n, c) }, of: peak)
    for path in ["own", "openblas"] {
      guard gk_use_gradients(path) else { continue }
      line += cell(flops, seconds { gk_product_input_gradient(y, w, &x, rows, n, c, false) }, of: peak)
      line += cell(flops, seconds { gk_product_weight_gradient(y, x, &dw, rows, n, c) }, of: peak)
    }
    print(line)
  }
}

let shapes = [
  (256, 256), (512, 512), (512, 256), (256, 512), (576, 576), (1536, 576), (576, 1536), (2048, 2048), (49152, 576),
]

/// As `measure`, of bfloat16.
func measureBFloat16(n: Int, c: Int, peak: Double) {
  let w = [UInt16](repeating: 0x3F00, count: gk_bfloat16_packed_count(n, c))
  var dw = [Float](repeating: 0, count: gk_packed_count(n, c))
  for rows in [1, 8, 12, 16, 64, 512] {
    var x = [Float](repeating: 0.25, count: rows * c)
    var y = [Float](repeating: 0, count: rows * n)
    let flops = 2 * Double(rows) * Double(n) * Double(c)
    var line = right("\(n)", 6) + right("\(c)", 6) + right("\(rows)", 5)
    line += cell(flops, seconds { gk_bfloat16_product(x, w, nil, &y, rows, n, c) }, of: peak)
    line += cell(flops, seconds { gk_bfloat16_product_input_gradient(y, w, &x, rows, n, c, false) }, of: peak)
    line += cell(flops, seconds { gk_bfloat16_product_weight_gradient(y, x, &dw, rows, n, c) }, of: peak)
    print(line)
  }
}

var arguments = CommandLine.arguments.dropFirst()
var threads: Int32 = 1
while let argument = arguments.popFirst() {
  switch argument {
  case "--help", "-h":
    print(usage)
    exit(0)
  case "--threads":
    guard let text = arguments.popFirst(), let count = Int32(text), count > 0 else {
      fail("--threads needs a number from 1")
    }
    threads = count
  default: fail("unknown option \"\(argument)\"; see --help")
  }
}
if let problem = gk_setup() { fail(String(cString: problem)) }
gk_set_threads(threads)

let peak = multiplyAddPeak()
print("variant \(String(cString: gk_variant())), \(gk_threads()) thread(s)")
print("multiply-adds in registers \((peak * 10).rounded() / 10) GFLOP/s")
print("reading \((readBandwidth() * 10).rounded() / 10) GB/s")
let openBLAS = gk_use_gradients("openblas")
if !openBLAS { print("OpenBLAS: libopenblas.so.0 could not be loaded") }
print("\nGFLOP/s and per cent of the peak; w is [N, C]")
let columns = ["forward", "dx", "dw"] + (openBLAS ? ["dx BLAS", "dw BLAS"] : [])
print(right("N", 6) + right("C", 6) + right("rows", 5) + columns.map { right($0, 12) }.joined())
for (n, c) in shapes { measure(n: n, c: c, peak: peak) }

let bfloat16Peak = multiplyAddPeak(bfloat16: true)
print("\nbfloat16: products in registers \((bfloat16Peak * 10).rounded() / 10) GFLOP/s")
print(right("N", 6) + right("C", 6) + right("rows", 5) + ["forward", "dx", "dw"].map { right($0, 12) }.joined())
for (n, c) in shapes { measureBFloat16(n: n, c: c, peak: bfloat16Peak) }
