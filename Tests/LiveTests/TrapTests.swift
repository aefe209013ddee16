import Measurement
import Testing

@testable import Live

/// Trapped stores without KVM. SIGSEGV is everywhere; userfaultfd where the system permits it.
@Suite(.serialized) struct TrapTests {
  private static let userfaultObstacle: Comment? = {
    do throws(LiveError) {
      _ = try TrapExperiment(.userfaultfd, rounds: 1, block: 1).run { false }
      return nil
    } catch {
      return "\(error)"
    }
  }()

  private func check(_ mechanism: TrapExperiment.Mechanism) throws {
    let result = try TrapExperiment(mechanism, rounds: 2, block: 5).run { false }
    #expect(result.ratios.count == 2)
    for costs in [result.swift, result.peer] {
      #expect(costs.trapped.count == 10 && costs.closed.count == 10)
      // A store that does not fault takes some nanoseconds; entering the kernel takes more.
      #expect(costs.trapped.minimum > 50)
    }
  }

  @Test func aSignalTrapsEachStore() throws { try check(.sigsegv) }

  @Test(.enabled(if: userfaultObstacle == nil, userfaultObstacle))
  func aUserfaultTrapsEachStore() throws { try check(.userfaultfd) }

  @Test func aRunThatIsInterruptedSaysSo() {
    #expect(throws: LiveError.interrupted) {
      try TrapExperiment(.sigsegv, rounds: 1).run { true }
    }
  }

  /// The handler is for its page alone: the old one, here the default, gets any other fault.
  @Test func aFaultElsewhereStillEndsTheProcess() async {
    await #expect(processExitsWith: .failure) {
      _ = try TrapExperiment(.sigsegv, rounds: 1, block: 1).run { false }
      // Safety: there is none; that is the point.
      unsafe UnsafeMutablePointer<UInt64>(bitPattern: 16)!.pointee = 1
    }
  }
}
