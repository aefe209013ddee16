import Testing

@testable import Measurement

@Suite struct HostTests {
  @Test func factsThatReportsShowArePresentAndNamedOnce() {
    let facts = HostFacts.all()
    let names = facts.map(\.name)
    #expect(Set(names).count == names.count)
    for name in ["cpus", "hypervisor", "kernel", "clock", "architecture"] {
      #expect(names.contains(name), "\(name)")
    }
    #expect(facts.allSatisfy { !$0.value.isEmpty && !$0.value.contains("\n") })
  }

  /// Few, the same at every reading, and nothing that changes from minute to minute or names the machine. A fact
  /// more or less makes every stored baseline another host's: then the fingerprint's schema counts up.
  @Test func theFactsOfAFingerprintAreAFixedFew() {
    let known = [
      "cpu-model", "cpus", "hypervisor", "kernel", "clocksource", "governor", "smt",
      "last-level-cache", "clock", "architecture",
    ]
    let facts = HostFacts.all().map { "\($0.name)=\($0.value)" }
    #expect(HostFacts.all().allSatisfy { known.contains($0.name) })
    for _ in 0..<3 { #expect(HostFacts.all().map { "\($0.name)=\($0.value)" } == facts) }
  }

  @Test func allowedCPUsAreDistinctAndRising() {
    let cpus = ThreadPlacement.allowedCPUs
    #expect(!cpus.isEmpty && cpus == Set(cpus).sorted())
  }

  /// On a host with one CPU the reason says so; elsewhere the thread is put back where it was.
  @Test func pinningSaysWhyNotOrCanBeUndone() {
    let refusal = ThreadPlacement.pin(toAllowed: 3)
    #expect((refusal == nil) == (ThreadPlacement.allowedCPUs.count > 1))
    #expect(ThreadPlacement.unpin() == nil)
  }

  @Test func residentSizeOfARunningProcessIsNotZero() {
    #expect(ThreadPlacement.residentBytes > 1 << 20)
  }

  @Test func everyCostOfMeasuringIsPositive() {
    let cost = HarnessCost.measured()
    #expect(cost.clockNanoseconds > 0 && cost.orderedClockNanoseconds > 0)
    #expect(cost.recordNanoseconds > 0 && cost.eventNanoseconds > 0)
  }
}
