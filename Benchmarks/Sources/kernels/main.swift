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

/// "95.1 81%" in 12 columns: the rate of `body`, which does `flops`, and its share of the peak, the two in turns.
func cell(_ flops: Double, of peak: PeakRun, _ body: () -> Void) -> String {
  let times = withoutActuallyEscaping(body) { secondsInTurns([$0, peak.run]) }
  let rate = flops / times[0] * 1e-9
  let share = Int((100 * rate / peak.rate(times[1])).rounded())
  return right("\((rate * 10).rounded() / 10) \(right("\(share)", 3))%", 12)
}

/// Memory of large pages, as the engine's, filled with `value`.
func filled<Number>(_ count: Int, with value: Number) -> UnsafeMutablePointer<Number> {
  let page = 2 << 20
  let bytes = (count * MemoryLayout<Number>.stride + page - 1) / page * page
  guard let start = aligned_alloc(page, bytes) else { fail("no memory for \(bytes) bytes") }
  #if canImport(Glibc)
    madvise(start, bytes, MADV_HUGEPAGE)
  #endif
  let numbers = start.bindMemory(to: Number.self, capacity: count)
  numbers.initialize(repeating: value, count: count)
  return numbers
}

/// Weights of one layer: so many matrices [N, C], as many rows for each.
struct Weights {
  let experts: Int
  let n: Int
  let c: Int
}

let weights = [
  Weights(experts: 16, n: 512, c: 512), Weights(experts: 8, n: 256, c: 256),
  Weights(experts: 1, n: 512, c: 512), Weights(experts: 1, n: 576, c: 576), Weights(experts: 1, n: 1536, c: 576),
  Weights(experts: 1, n: 576, c: 1536), Weights(experts: 1, n: 2048, c: 2048), Weights(experts: 1, n: 49152, c: 576),
]

/// The three products of one kind of numbers; see CKernels.h.
typealias Product<Weight> = (
  UnsafePointer<Float>, UnsafePointer<Weight>, UnsafeMutablePointer<Float>, UnsafePointer<Int32>, Int, Int, Int
) -> Void
typealias InputGradient<Weight> = (
  UnsafePointer<Float>, UnsafePointer<Int32>?, UnsafePointer<Weight>, UnsafeMutablePointer<Float>, UnsafePointer<Int32>,
  Int, Int, Int, Bool
) -> Void
typealias WeightGradient = (
  UnsafePointer<Float>, UnsafePointer<Int32>?, UnsafePointer<Float>, UnsafePointer<Int32>?, UnsafeMutablePointer<Float>,
  UnsafePointer<Int32>, Int, Int, Int
) -> Void

/// One line for each number of rows; the gradients once for each of `paths`.
func measure<Weight>(
  _ size: Weights, weight: Weight, count: (Int, Int) -> Int, peak: PeakRun, paths: [String],
  _ product: Product<Weight>, _ inputGradient: InputGradient<Weight>, _ weightGradient: WeightGradient
) {
  let (experts, n, c) = (size.experts, size.n, size.c)
  let w = filled(experts * count(n, c), with: weight)
  let dw = filled(experts * gk_packed_count(n, c), with: Float(0))
  defer {
    free(w)
    free(dw)
  }
  for rows in [1, 8, 16, 64, n > 40_000 ? 512 : 640] {
    let offsets = (0...experts).map { Int32($0 * rows) }
    let x = filled(experts * rows * c, with: Float(0.25))
    let y = filled(experts * rows * n, with: Float(0))
    defer {
      free(x)
      free(y)
    }
    let flops = 2 * Double(experts * rows) * Double(n) * Double(c)
    var line = right(experts > 1 ? "\(experts) × " : "", 5) + right("\(n)", 6) + right("\(c)", 6) + right("\(rows)", 5)
    line += cell(flops, of: peak) { product(x, w, y, offsets, experts, n, c) }
    for path in paths where gk_use_gradients(path) {
      line += cell(flops, of: peak) { inputGradient(y, nil, w, x, offsets, experts, n, c, false) }
      line += cell(flops, of: peak) { weightGradient(y, nil, x, nil, dw, offsets, experts, n, c) }
    }
    print(line)
  }
}

func head(_ columns: [String]) {
  print(right("N", 11) + right("C", 6) + right("rows", 5) + columns.map { right($0, 12) }.joined())
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

let peak = PeakRun()
print("variant \(String(cString: gk_variant())), \(gk_threads()) thread(s)")
print("multiply-adds in registers \((peak.rate(seconds(peak.run)) * 10).rounded() / 10) GFLOP/s")
print("reading \((readBandwidth() * 10).rounded() / 10) GB/s")
let openBLAS = gk_use_gradients("openblas")
if !openBLAS { print("OpenBLAS: libopenblas.so.0 could not be loaded") }
print("\nGFLOP/s and per cent of the peak; w is [N, C], the rows are those of one matrix")
head(["forward", "dx", "dw"] + (openBLAS ? ["dx BLAS", "dw BLAS"] : []))
for size in weights {
  measure(
    size, weight: Float(0.5), count: gk_packed_count, peak: peak, paths: ["own", "openblas"],
    { x, w, y, offsets, experts, n, c in
      gk_grouped_product(x, nil, [gk_factor(w: w, bias: nil, y: y, n: n)], 1, offsets, experts, c)
    },
    gk_grouped_product_input_gradient, gk_grouped_product_weight_gradient)
}

let bfloat16Peak = PeakRun(bfloat16: true)
print("\nbfloat16: products in registers \((bfloat16Peak.rate(seconds(bfloat16Peak.run)) * 10).rounded() / 10) GFLOP/s")
head(["forward", "dx", "dw"])
for size in weights {
  measure(
    size, weight: UInt16(0x3F00), count: gk_bfloat16_packed_count, peak: bfloat16Peak, paths: ["own"],
    { x, w, y, offsets, experts, n, c in
      gk_bfloat16_grouped_product(x, nil, [gk_bfloat16_factor(w: w, bias: nil, y: y, n: n)], 1, offsets, experts, c)
    },
    gk_bfloat16_grouped_product_input_gradient, gk_bfloat16_grouped_product_weight_gradient)
}
