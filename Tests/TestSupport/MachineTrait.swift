import Testing

/// Tests that compute run one at a time, those of other targets included: some switch the kernels and the threads of
/// the whole process, and bits are compared between runs.
package struct MachineTrait: SuiteTrait, TestTrait, TestScoping {
  package var isRecursive: Bool { true }

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    await Turn.shared.take()
    do { try await function() } catch {
      await Turn.shared.giveBack()
      throw error
    }
    await Turn.shared.giveBack()
  }
}

extension Trait where Self == MachineTrait {
  /// Has the machine to itself.
  package static var machine: Self { MachineTrait() }
}

/// One holder at a time, in the order of asking.
private actor Turn {
  static let shared = Turn()
  private var isTaken = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func take() async {
    if !isTaken {
      isTaken = true
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  func giveBack() {
    if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
  }
}
