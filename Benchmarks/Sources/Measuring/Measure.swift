import CKernels
import CPeak

/// Seconds that `body` takes: the median of its runs, at least 5 and up to 200, over about a third of a second.
public func seconds(_ body: () -> Void) -> Double {
  body()
  let clock = ContinuousClock()
  var runs: [Double] = []
  var total = 0.0
  while runs.count < 5 || (total < 0.3 && runs.count < 200) {
    let (whole, fraction) = clock.measure(body).components
    runs.append(Double(whole) + Double(fraction) * 1e-18)
    total += runs[runs.count - 1]
  }
  return runs.sorted()[runs.count / 2]
}

/// GFLOP/s of multiply-adds in registers alone, all threads together.
public func multiplyAddPeak(bfloat16: Bool = false) -> Double {
  let rounds = 200_000
  let threads = Int(gk_threads())
  let time = seconds {
    if bfloat16 {
      gk_parallel(threads, { _, _, _ in sink(peak_multiply_adds(gk_variant(), 1, 200_000)) }, nil)
    } else {
      gk_parallel(threads, { _, _, _ in sink(peak_multiply_adds(gk_variant(), 0, 200_000)) }, nil)
    }
  }
  return Double(2 * rounds * peak_chain_terms(gk_variant(), bfloat16 ? 1 : 0) * threads) / time * 1e-9
}

/// GB/s read from a buffer larger than the caches, all threads together.
public func readBandwidth() -> Double {
  let megabyte = 1 << 18
  let floats = 512 * megabyte
  let buffer = UnsafeMutablePointer<Float>.allocate(capacity: floats)
  defer { buffer.deallocate() }
  buffer.initialize(repeating: 1, count: floats)
  let time = seconds {
    gk_parallel(
      512,
      { context, task, _ in
        guard let start = context?.assumingMemoryBound(to: Float.self) else { return }
        sink(peak_read(start + (task << 18), 1 << 18))
      }, buffer)
  }
  return Double(floats * 4) / time * 1e-9
}

/// Keeps a result from being optimised away.
@inline(never) func sink(_ value: Float) {}
