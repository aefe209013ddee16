import Foundation
import History
import Live
import Measurement

/// What `live` does: each part that this host has, one cell each; each part that it lacks, by name.
struct LiveTask {
  var designs: [LiveDesign]
  var states: [VCPUState]
  var delivery = DeliveryExperiment.Options()
  var setUp = TrappedSetUp.Options()
  var vectors: [Int] = []
  var stores = 0
  private var cells: [RunRecord.Cell] = []
  private var absences: [LiveAbsence] = []
  private var warnings: [String] = []
  private var progress = Progress("live", unit: .things("parts"))
  private var parts: (done: UInt64, total: UInt64) = (0, 0)

  init(designs: [LiveDesign], states: [VCPUState]) {
    self.designs = designs
    self.states = states
  }

  /// The designs on /dev/kvm.
  mutating func measure() throws -> RunRecord {
    if designs.contains(.direct), let absence = DirectAvailability.ofThisHost().absence {
      absences.append(absence)
      designs.removeAll { $0 == .direct }
    }
    var facts: [(name: String, value: String)] = []
    parts.total = UInt64(
      designs.reduce(0) {
        $0 + ($1 == .trapped ? vectors.count : $1 == .direct ? 1 + states.count : states.count)
      })
    if !designs.isEmpty {
      let absence = try Self.attempt { () throws(LiveError) in
        let host = try LiveHost.open()
        facts = host.facts
        try measure(on: host)
      }
      absences += absence.map { [$0] } ?? []
    }
    return try record(facts)
  }

  /// Trapped stores without KVM.
  mutating func measureTraps() throws -> RunRecord {
    parts.total = UInt64(TrapExperiment.Mechanism.allCases.count)
    for mechanism in TrapExperiment.Mechanism.allCases {
      let absence = try Self.attempt { () throws(LiveError) in
        let block = min(100, stores)
        let rounds = (stores + block - 1) / block
        let result = try part("stores trapped by \(mechanism.rawValue)") { () throws(LiveError) in
          try TrapExperiment(mechanism, rounds: rounds, block: block)
            .run { Interruption.isStopRequested }
        }
        cells.append(LiveCell.traps(mechanism, result))
      }
      absences += absence.map { [$0] } ?? []
    }
    return try record([])
  }

  private mutating func measure(on host: LiveHost) throws(LiveError) {
    for design in designs {
      switch design {
      case .eventfd, .bounce:
        for state in states { try measure(design == .eventfd ? .irqfd : .bounce, state, host) }
      case .trapped:
        for count in vectors.sorted() {
          setUp.entries = count
          let options = setUp
          let result = try part("trapped: an MSI-X table of \(count)") { () throws(LiveError) in
            try TrappedSetUp(options).run { Interruption.isStopRequested }
          }
          warnings += result.notes
          cells.append(LiveCell.setUp(setUp, result))
        }
      case .direct: try measureDirect(on: host)
      }
    }
  }

  /// A short run shows whether KVM posts, as its parameter says; only then does the name stand for it.
  private mutating func measureDirect(on host: LiveHost) throws(LiveError) {
    let direct = DirectAvailability.ofThisHost()
    var probe = delivery
    probe.interrupts = 100
    probe.block = 50
    let result = try part("direct: does KVM post to a running vCPU") { () throws(LiveError) in
      try DeliveryExperiment(.posted, vCPU: .running, probe)
        .run { Interruption.isStopRequested }
    }
    if let absence = direct.absence(afterProbe: result.exitsPerInterrupt) {
      absences.append(absence)
      return
    }
    for state in states { try measure(.posted, state, host) }
    warnings.append(direct.note)
  }

  private mutating func measure(
    _ way: DeliveryExperiment.Way, _ state: VCPUState, _ host: LiveHost
  ) throws(LiveError) {
    let options = delivery
    let result = try part("\(way.rawValue): a vCPU that is \(state.rawValue)") {
      () throws(LiveError) in
      try DeliveryExperiment(way, vCPU: state, options)
        .run { Interruption.isStopRequested }
    }
    let poll = delivery.haltPollNanoseconds ?? host.haltPollNanoseconds
    cells.append(LiveCell.delivery(way, state, delivery, haltPoll: poll, result))
    let name = "\(way.rawValue), \(state.rawValue)"
    warnings += result.notes.map { "\(name): \($0)" }
    if result.stampsOutside > 0 {
      warnings.append(
        "\(name): \(result.stampsOutside) stamps of the guest do not lie between the host's: its TSC is "
          + "not the host's here, and only what the host saw is reported")
    }
    if state == .blocked, !result.sleepIsVerified {
      warnings.append(
        "\(name): this KVM does not say whether a vCPU sleeps; each interrupt came after the gap alone"
      )
    }
    let emulated = result.statistics["insn_emulation"] ?? 0
    if emulated >= result.closedLoop, result.closedLoop > 0 {
      warnings.append(
        "this KVM emulates the guest's instructions (metric kvm-insn_emulation): what the guest does "
          + "itself takes the emulator's time")
    }
  }

  /// Runs a part; that it is not there is an answer.
  private static func attempt(_ body: () throws(LiveError) -> Void) throws -> LiveAbsence? {
    do throws(LiveError) {
      try body()
      return nil
    } catch .absent(let absence) {
      return absence
    } catch .interrupted {
      throw Interruption.Stopped(consequence: "nothing was reported")
    } catch {
      throw Failure("live: \(error)")
    }
  }

  /// Says what is being measured. Nothing is drawn while it is.
  private mutating func part<Result>(
    _ name: String, _ body: () throws(LiveError) -> Result
  ) throws(LiveError) -> Result {
    progress.update(parts.done, of: parts.total, saying: name)
    parts.done += 1
    return try Console.step(name, body)
  }

  private func record(_ facts: [(name: String, value: String)]) throws -> RunRecord {
    progress.finish()
    guard !cells.isEmpty else {
      throw Failure(absences.map(\.description).joined(separator: "\n"))
    }
    let all = HostFacts.all().map { ($0.name, $0.value) } + facts.map { ($0.name, $0.value) }
    let guest = LiveCell.guestImage
    var record = RunRecord(
      tool: .init(name: "doorbell", version: ToolVersion.text),
      command: Array(ProcessInfo.processInfo.arguments.dropFirst()),
      started: ISO8601DateFormatter().string(from: Date()),
      trace: .init(
        name: "live guest", contentHash: guest,
        events: cells.reduce(0) { $0 + ($1.ledger?.offered ?? 0) },
        eventsByKind: [:], lostEvents: 0),
      host: HostFingerprint(facts: Dictionary(all, uniquingKeysWith: { first, _ in first })),
      cells: cells, warnings: Array(Set(warnings)).sorted())
    record.diagnose()
    record.absences = absences.map { .init(part: $0.part, reason: $0.reason) }
    return record
  }
}
