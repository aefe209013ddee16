import ArgumentParser
import Foundation
import History
import Live
import Measurement
import Reports

struct LiveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "live",
    abstract: "Measure interrupt delivery and set-up on this host's /dev/kvm.",
    discussion: """
      Starts a guest of one vCPU that it assembles itself, interrupts it through KVM, and verifies every \
      delivery in the guest: eventfd (irqfd), bounce (a thread and KVM_SIGNAL_MSI), and the set-up of \
      trapped (MSI-X stores that come back as MMIO exits). Beside each figure the same loop in C, in \
      alternating blocks of the same run. What the host lacks is named, never imitated. Use it to learn \
      what a host really does, where replay models it. Times are service times.

      Try:
        doorbell live
        doorbell live --traps
      """)

  @Option(
    name: .customLong("design"), parsing: .upToNextOption,
    help: "Run these designs live: eventfd, bounce, trapped, direct; commas work, too (all).")
  var designs: [String] = LiveDesign.allCases.map(\.rawValue)

  @Option(
    name: .customLong("vcpu"), parsing: .upToNextOption,
    help: """
      Interrupt a vCPU that is halted (HLT, KVM may poll), running (in guest mode) or blocked (HLT, its \
      thread asleep) (all three).
      """)
  var states: [String] = VCPUState.allCases.map(\.rawValue)

  @Option(help: "Deliver this many interrupts one by one, and as many again by the loop in C.")
  var interrupts = 2_000

  @Option(help: "Leave this time between two interrupts, such as 20us or 1ms.")
  var gap: TraceTime = TraceTime(nanoseconds: 50_000)

  @Option(
    help: "Let KVM poll up to this time before a halted vCPU sleeps (the host's own setting).")
  var haltPoll: TraceTime?

  @Option(
    name: .customLong("vectors"), parsing: .upToNextOption,
    help: "In trapped, program MSI-X tables of these sizes, 1…192 (1 16 64).")
  var vectors: [Int] = [1, 16, 64]

  @Option(help: "In trapped, program each table this many times.")
  var rounds = 20

  @Flag(help: "Measure what a trapped store costs without KVM instead: SIGSEGV and userfaultfd.")
  var traps = false

  @Option(help: "Trap this many stores, and as many again in C.")
  var stores = 2_000

  @Option(help: "Give up on an interrupt or a table after this time.")
  var timeout: TraceTime = TraceTime(nanoseconds: 10_000_000_000)

  @Option(help: "Print in this form.")
  var format: OutputFormat = .table

  @Option(name: .shortAndLong, help: "Also write the run record (JSON) here.")
  var output: String?

  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    for (name, count) in [("interrupts", interrupts), ("rounds", rounds), ("stores", stores)]
    where count <= 0 {
      throw ValidationError("--\(name) takes a number above 0")
    }
    guard vectors.allSatisfy({ (1...TrappedSetUp.entryLimit).contains($0) }), !vectors.isEmpty
    else {
      throw ValidationError(
        "--vectors takes numbers from 1 to \(TrappedSetUp.entryLimit), for which the guest has handlers"
      )
    }
    guard timeout.nanoseconds > 0, gap.nanoseconds >= 0, haltPoll?.nanoseconds ?? 0 >= 0,
      gap.nanoseconds < timeout.nanoseconds
    else { throw ValidationError("--timeout must be above 0 and longer than --gap") }
    _ = try chosen()
  }

  /// The designs and states that were asked for, in the order of the catalogue, each once.
  private func chosen() throws -> (designs: [LiveDesign], states: [VCPUState]) {
    func read<Choice: RawRepresentable & CaseIterable & Hashable>(
      _ option: String, _ words: [String]
    ) throws -> [Choice] where Choice.RawValue == String {
      var found: Set<Choice> = []
      for word in words.flatMap({ $0.split(separator: ",").map(String.init) }) {
        guard let choice = Choice(rawValue: word) else {
          throw ValidationError(
            "no \(option) '\(word)'; "
              + Suggestion.advice(for: word, among: Choice.allCases.map(\.rawValue)))
        }
        found.insert(choice)
      }
      return Choice.allCases.filter(found.contains)
    }
    return (try read("design", designs), try read("vCPU state", states))
  }

  /// Before minutes are spent on what could not be written.
  private func checkOutput() throws {
    guard let output else { return }
    let folder = (output as NSString).deletingLastPathComponent
    // Safety: the path is NUL-terminated for the call.
    guard unsafe access(folder.isEmpty ? "." : folder, W_OK) == 0 else {
      throw Failure.ofSystem("writing the run record", path: output)
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      try checkOutput()
      Interruption.requestsStop()
      let (designs, states) = try chosen()
      var task = LiveTask(designs: designs, states: states)
      task.delivery.interrupts = interrupts
      task.delivery.block = min(task.delivery.block, interrupts)
      task.delivery.gapNanoseconds = UInt64(gap.nanoseconds)
      task.delivery.haltPollNanoseconds = haltPoll.map { UInt64($0.nanoseconds) }
      task.delivery.timeoutNanoseconds = UInt64(timeout.nanoseconds)
      task.vectors = vectors
      task.setUp.rounds = rounds
      task.setUp.timeoutNanoseconds = UInt64(timeout.nanoseconds)
      task.stores = stores
      let record = try traps ? task.measureTraps() : task.measure()
      if let output { try record.write(to: output) }
      switch format {
      case .table: try Console.show(LiveReport(record).text())
      case .json: try Console.print(String(decoding: try record.json(), as: UTF8.self))
      }
      if let void = record.cells.first(where: { $0.ledger?.lostTotal ?? 0 > 0 }) {
        throw Failure(
          "\(void.design): \(void.experiment): interrupts were lost; the run is void")
      }
    }
  }
}

/// What `live` knows by name: three ways of which each is measured on its own.
enum LiveDesign: String, CaseIterable {
  case eventfd, bounce, trapped, direct
}
