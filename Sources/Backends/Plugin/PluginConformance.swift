package import EventModel
package import Replay

/// The proof of a plug-in on one trace, in the process that runs it.
///
/// Every event is given in batches of several sizes, each time to a fresh instance while those before it
/// still live, so that neither the cut nor state outside of an instance can matter unseen. The answers are
/// held against the reference model and the recording; work counters must be the same each time. A
/// design that delivers through an eventfd is proved in halves, too.
package struct PluginConformance: Sendable {
  package static let batchSizes = [256, 1, 7, 64]

  /// Of the answers in batches of the first size.
  package let check: EqualityCheck
  /// What is wrong: the first difference, in words; nil if the plug-in conforms.
  package private(set) var flaw: String?
  package private(set) var counters = WorkCounters()

  package init(_ library: PluginLibrary, _ answers: ReferenceAnswers, status: PluginStatus) {
    var instances = Instances(library, answers, status)
    let first = instances.run(batchSize: Self.batchSizes[0])
    counters = first.counters
    var oracle = AnsweredOracle(answers)
    var spoken = SpokenAnswers(first.outcomes) { instances.physicalAddress(ofIntermediate: $0) }
    check = EqualityCheck(answers.events, oracle: &oracle, backend: &spoken)
    flaw = Self.flaw(of: check)
    if flaw == nil { flaw = repetitions(&instances, first, answers) }
    guard flaw == nil, library.deliversThroughEventfd else { return }
    var halved = PluginBackend(library, geometry: answers.geometry, status: status)
    var again = AnsweredOracle(answers)
    let halves = EqualityCheck(
      answers.events, oracle: &again, backend: &halved, delivery: .inHalves)
    flaw = Self.flaw(of: halves).map { "      with signal and inject:\n" + $0 }
  }

  private static func flaw(of check: EqualityCheck) -> String? {
    if let difference = check.firstDifference ?? check.firstRecordingDifference {
      return difference.description
    }
    return check.ledger.isConserved
      ? nil
      : "      the ledger does not hold: an interrupt ended as something that is no end of one"
  }

  private func repetitions(
    _ instances: inout Instances, _ first: Instances.Pass, _ answers: ReferenceAnswers
  ) -> String? {
    for size in Self.batchSizes.dropFirst() {
      let pass = instances.run(batchSize: size)
      if let index = zip(first.outcomes, pass.outcomes).enumerated()
        .first(where: { $0.element.0 != $0.element.1 })?.offset
      {
        let ordinal = answers.events.indices.filter { answers.events[$0].kind.isAccess }[index]
        return """
                event \(ordinal): \(answers.events[ordinal].kind), answered in two ways:
                in batches of \(Self.batchSizes[0]): \(Self.text(first.outcomes[index]))
                in batches of \(size): \(Self.text(pass.outcomes[index]))
          """
      }
      for field in WorkCounters.fields {
        let (a, b) = (first.counters[keyPath: field.path], pass.counters[keyPath: field.path])
        guard a != b else { continue }
        return """
                work counter \(field.name): \(a) in batches of \(Self.batchSizes[0]), \
          \(b) in batches of \(size)
          """
      }
    }
    return nil
  }

  private static func text(_ outcome: Outcome) -> String {
    "\(outcome.outcome), address 0x\(String(outcome.address, radix: 16)), INTID \(outcome.intid), "
      + "\(outcome.target)"
  }
}

/// Instances of one plug-in that live side by side.
private final class Instances {
  struct Pass {
    var outcomes: [Outcome] = []
    var counters = WorkCounters()
  }

  private let library: PluginLibrary
  private let answers: ReferenceAnswers
  private let status: PluginStatus
  private var living: [Box] = []

  private final class Box {
    var backend: PluginBackend
    init(_ backend: consuming PluginBackend) { self.backend = backend }
  }

  init(_ library: PluginLibrary, _ answers: ReferenceAnswers, _ status: PluginStatus) {
    self.library = library
    self.answers = answers
    self.status = status
  }

  /// All events through a new instance.
  func run(batchSize: Int) -> Pass {
    let box = Box(
      PluginBackend(
        library, geometry: answers.geometry, status: status, batchLimit: batchSize,
        findsUnanswered: true))
    living.append(box)
    var pass = Pass()
    // Safety: the buffer is the array's for the time of the call; a batch's answers are as many as its
    // events.
    unsafe answers.events.withUnsafeBufferPointer { events in
      unsafe box.backend.forEachBatch(events) { batch, found in
        guard let found = unsafe found else { return }
        for index in 0..<batch.count where unsafe batch[index].kind.isAccess {
          unsafe pass.outcomes.append(found[index])
        }
      }
    }
    pass.counters = box.backend.counters
    return pass
  }

  func physicalAddress(ofIntermediate intermediate: UInt64) -> UInt64 {
    living[0].backend.physicalAddress(ofIntermediate: intermediate)
  }
}

/// Answers that were given already, read out one by one behind the face of a design.
private struct SpokenAnswers: TranslationBackend, ~Copyable {
  private let outcomes: [Outcome]
  private var next = 0
  private let place: (UInt64) -> UInt64

  init(_ outcomes: [Outcome], place: @escaping (UInt64) -> UInt64) {
    self.outcomes = outcomes
    self.place = place
  }

  var counters: WorkCounters { WorkCounters() }
  var deliversThroughEventfd: Bool { false }
  mutating func configure(_ event: TraceEvent) {}
  mutating func maintain(_ event: TraceEvent) {}
  mutating func acknowledge(_ event: TraceEvent) {}

  mutating func translate(_ event: TraceEvent) -> Outcome {
    defer { next += 1 }
    return outcomes[next]
  }

  mutating func signal(_ event: TraceEvent) -> Signal { Signal(outcome: translate(event)) }
  mutating func inject(route: UInt32) -> Outcome { Outcome(outcome: .noRoute) }
  func physicalAddress(ofIntermediate intermediate: UInt64) -> UInt64 { place(intermediate) }
}
