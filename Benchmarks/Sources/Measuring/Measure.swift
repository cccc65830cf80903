import CKernels
import CPeak

#if os(Linux)
  import Glibc
#endif

/// Seconds that `body` takes: the median of at least 5 turns, over about a third of a second.
public func seconds(_ body: () -> Void) -> Double {
  withoutActuallyEscaping(body) { secondsInTurns([$0])[0] }
}

/// Seconds that each of `bodies` takes: the medians of at least 5 turns, over about a third of a second for each. A turn is
/// 2 ms of one or more runs, so that it finds the caches as it left them; a clock that slows down slows the turns of all,
/// so that their ratios keep.
public func secondsInTurns(_ bodies: [() -> Void]) -> [Double] {
  let clock = ContinuousClock()
  func turn(_ body: () -> Void, _ runs: Int) -> Double {
    let (whole, fraction) = clock.measure { for _ in 0..<runs { body() } }.components
    return Double(whole) + Double(fraction) * 1e-18
  }
  let runs = bodies.map { body in
    body()
    return max(1, Int(2e-3 / turn(body, 1)))
  }
  var turns = bodies.map { _ in [Double]() }
  var total = 0.0
  while turns[0].count < 5 || total < 0.3 * Double(bodies.count) {
    for (i, body) in bodies.enumerated() {
      turns[i].append(turn(body, runs[i]))
      total += turns[i][turns[i].count - 1]
    }
  }
  return zip(turns, runs).map { $0.sorted()[$0.count / 2] / Double($1) }
}

/// Multiply-adds in registers alone on all threads, the most that this machine can do of them.
public struct PeakRun {
  let bfloat16: Bool
  let rounds: Int

  /// `milliseconds`: about how long a run takes.
  public init(bfloat16: Bool = false, milliseconds: Double = 2) {
    self.bfloat16 = bfloat16
    let once = PeakRun(bfloat16: bfloat16, rounds: 10_000)
    rounds = max(1, Int(10_000 * milliseconds * 1e-3 / seconds(once.run)))
  }

  private init(bfloat16: Bool, rounds: Int) {
    (self.bfloat16, self.rounds) = (bfloat16, rounds)
  }

  /// All of it once, on all threads.
  public func run() {
    var run = self
    gk_parallel(
      Int(gk_threads()),
      { context, _, _ in
        guard let run = context?.assumingMemoryBound(to: PeakRun.self).pointee else { return }
        sink(peak_multiply_adds(gk_variant(), run.bfloat16 ? 1 : 0, run.rounds))
      }, &run)
  }

  /// GFLOP/s of a run that took `seconds`.
  public func rate(_ seconds: Double) -> Double {
    let operations = 2 * rounds * peak_chain_terms(gk_variant(), bfloat16 ? 1 : 0) * Int(gk_threads())
    return Double(operations) / seconds * 1e-9
  }
}

/// GFLOP/s of multiply-adds in registers alone, all threads together.
public func multiplyAddPeak(bfloat16: Bool = false) -> Double {
  let peak = PeakRun(bfloat16: bfloat16)
  return peak.rate(seconds(peak.run))
}

/// GB/s read from a buffer larger than the caches, in large pages where the system has them, all threads together.
public func readBandwidth() -> Double {
  let megabyte = 1 << 18
  let floats = 512 * megabyte
  let memory = UnsafeMutableRawPointer.allocate(byteCount: floats * 4, alignment: 2 << 20)
  defer { memory.deallocate() }
  #if os(Linux)
    _ = madvise(memory, floats * 4, MADV_HUGEPAGE)
  #endif
  let buffer = memory.initializeMemory(as: Float.self, repeating: 1, count: floats)
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
