import CKernels
import Foundation
import Kernels
import Testing

extension KernelSuite {
  @Suite struct PoolTests {
    /// Runs `tasks` tasks and returns how often each ran; task i counts in element i alone.
    private func counts(_ tasks: Int) -> [Int32] {
      var counts = [Int32](repeating: 0, count: tasks)
      counts.withUnsafeMutableBufferPointer { buffer in
        gk_parallel(
          tasks,
          { context, task, worker in
            guard worker >= 0, worker < gk_threads() else { return }
            context?.assumingMemoryBound(to: Int32.self)[task] += 1
          }, buffer.baseAddress)
      }
      return counts
    }

    @Test(arguments: [1, 2, 3, 8] as [Int32]) func everyTaskRunsOnce(threads: Int32) {
      with(threads: threads) {
        for tasks in [0, 1, 2, 3, 100, 5000] {
          #expect(counts(tasks) == [Int32](repeating: 1, count: tasks))
        }
        // Many short jobs: workers come late, sleep and wake.
        for round in 0..<3000 {
          let tasks = 1 + round % 17
          #expect(counts(tasks) == [Int32](repeating: 1, count: tasks))
        }
      }
    }

    @Test func aJobInsideATaskRunsThere() {
      // [task] = the worker, + 1000 for every inner task that ran on another.
      var workers = [Int32](repeating: -1, count: 40)
      with(threads: 3) {
        workers.withUnsafeMutableBufferPointer { buffer in
          gk_parallel(
            40,
            { context, task, worker in
              guard let slot = context?.assumingMemoryBound(to: Int32.self).advanced(by: task) else { return }
              slot.pointee = worker
              gk_parallel(
                5,
                { context, _, worker in
                  guard let slot = context?.assumingMemoryBound(to: Int32.self) else { return }
                  if slot.pointee != worker { slot.pointee += 1000 }
                }, slot)
            }, buffer.baseAddress)
        }
      }
      #expect(workers.allSatisfy { (0..<3).contains($0) })
    }

    @Test func severalCallersTakeTurns() async {
      let before = gk_threads()
      gk_set_threads(3)
      defer { gk_set_threads(before) }
      let fine = await withTaskGroup(of: Bool.self) { group in
        for caller in 0..<6 {
          group.addTask {
            (0..<200).allSatisfy { counts(caller + $0 % 5) == [Int32](repeating: 1, count: caller + $0 % 5) }
          }
        }
        return await group.reduce(true) { $0 && $1 }
      }
      #expect(fine)
    }

    /// Seconds of CPU time that this process has taken on all its threads.
    private func cpuTime() -> Double {
      var time = timespec()
      #expect(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0)
      return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Three workers that spun would take whole cores while their caller sleeps.
    @Test func idleWorkersSleep() {
      with(threads: 4) {
        #expect(counts(5000) == [Int32](repeating: 1, count: 5000))
        let before = cpuTime()
        Thread.sleep(forTimeInterval: 0.4)
        #expect(cpuTime() - before < 0.1)
      }
    }

    @Test func threadsAreAtLeastOne() {
      with(threads: 1) {
        Machine.threads = 0
        #expect(Machine.threads == 1)
        Machine.threads = -3
        #expect(Machine.threads == 1)
        Machine.threads = 3
        #expect(Machine.threads == 3)
        #expect(counts(50) == [Int32](repeating: 1, count: 50))
      }
    }

    @Test func unknownNamesAreRefused() {
      let before = (Machine.variant, Machine.gradients)
      #expect(!gk_use_variant("avx1024"))
      #expect(!gk_use_variant(""))
      #expect(!gk_use_gradients("mkl"))
      #expect(Machine.variant == before.0)
      #expect(Machine.gradients == before.1)
    }

    @Test func setUpIsIdempotent() throws {
      try Machine.setUp()
      try Machine.setUp()
      #expect(bfloat16Variants.contains(Machine.variant))
    }
  }
}
