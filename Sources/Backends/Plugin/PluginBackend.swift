import CDoorbellBackend
import EventModel
import Replay

/// An instance of a plug-in behind the face of a design. Events cross in batches, without a copy:
/// `doorbell_event` has the layout of `TraceEvent`, `doorbell_outcome` that of `Outcome`.
///
/// What comes back is not trusted: a count that is not the number of accesses ends the process. The
/// answers are data, which nothing here uses as an index or a length.
@safe
struct PluginBackend: TranslationBackend, ~Copyable {
  private let library: PluginLibrary
  private let status: PluginStatus
  private let instance: PluginFunctions.Instance
  private let outcomes: OutcomeBuffer
  private let batchLimit: Int
  /// Answers are overwritten before each call, so that one that is missing is seen.
  private let findsUnanswered: Bool
  /// Events given so far.
  private var given: UInt64 = 0

  init(
    _ library: PluginLibrary, geometry: TableGeometry, status: PluginStatus,
    batchLimit: Int = Int(DOORBELL_BATCH_LIMIT), findsUnanswered: Bool = false
  ) {
    precondition((1...Int(DOORBELL_BATCH_LIMIT)).contains(batchLimit))
    self.library = library
    self.status = status
    self.batchLimit = batchLimit
    self.findsUnanswered = findsUnanswered
    outcomes = OutcomeBuffer(capacity: Int(DOORBELL_BATCH_LIMIT))
    var layout = doorbell_geometry(geometry)
    var message = [CChar](repeating: 0, count: 256)
    status.enter(.create)
    // Safety: both pointers are valid for the call, the message with the size that is given.
    let made = unsafe library.functions.create(&layout, &message, message.count)
    status.leave()
    guard let made = unsafe made else {
      let text = String(
        decoding: message.dropLast().prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
        as: UTF8.self)
      status.fail(.noInstance(name: library.name, message: text.isEmpty ? "no reason given" : text))
    }
    unsafe instance = made
  }

  deinit {
    status.enter(.destroy)
    // Safety: made by `create`, destroyed once.
    unsafe library.functions.destroy(instance)
    status.leave()
  }

  var deliversThroughEventfd: Bool { library.deliversThroughEventfd }

  var counters: WorkCounters {
    var work = WorkCounters()
    guard let read = unsafe library.functions.readCounters else { return work }
    // Room for the most that there can be: a plug-in that writes more than it announced hits nothing.
    var values = [UInt64](repeating: 0, count: Int(DOORBELL_COUNTER_LIMIT))
    status.enter(.readCounters)
    // Safety: the instance is live, the array has room.
    unsafe read(instance, &values)
    status.leave()
    for (place, value) in zip(library.counters, values) { work[keyPath: place] = value }
    return work
  }

  func physicalAddress(ofIntermediate intermediate: UInt64) -> UInt64 {
    guard let ask = unsafe library.functions.physicalAddress else { return intermediate }
    status.enter(.physicalAddress)
    defer { status.leave() }
    // Safety: the instance is live.
    return unsafe ask(instance, intermediate)
  }

  // MARK: One event

  mutating func configure(_ event: TraceEvent) {
    unsafe withEvent(event) { unsafe $0.configureRun($1) }
  }

  mutating func maintain(_ event: TraceEvent) { _ = answer(event) }
  mutating func acknowledge(_ event: TraceEvent) { _ = answer(event) }
  mutating func translate(_ event: TraceEvent) -> Outcome { answer(event) }

  private mutating func answer(_ event: TraceEvent) -> Outcome {
    unsafe withEvent(event) { (backend, events) in
      let expected = event.kind.isAccess ? 1 : 0
      let answers = unsafe backend.translateRun(events, expected)
      if backend.findsUnanswered { unsafe backend.requireAnswers(events, answers) }
      return unsafe expected == 1 ? answers[0] : Outcome(outcome: .notRecorded)
    }
  }

  private mutating func withEvent<R>(
    _ event: TraceEvent, _ body: (inout PluginBackend, UnsafeBufferPointer<TraceEvent>) -> R
  ) -> R {
    // Safety: the pointer is to a copy that lives during the call.
    unsafe withUnsafePointer(to: event) {
      unsafe body(&self, UnsafeBufferPointer(start: $0, count: 1))
    }
  }

  mutating func signal(_ event: TraceEvent) -> Signal {
    guard let signal = unsafe library.functions.signal else {
      return Signal(outcome: translate(event))
    }
    var outcome = Outcome(outcome: .notRecorded)
    status.enter(.signal, at: given, count: 1)
    given &+= 1
    // Safety: both have the layout that the header gives them, and live during the call.
    let route = unsafe withUnsafePointer(to: event) { event in
      unsafe withUnsafeMutablePointer(to: &outcome) { outcome in
        unsafe signal(
          instance, UnsafeRawPointer(event).assumingMemoryBound(to: doorbell_event.self),
          UnsafeMutableRawPointer(outcome).assumingMemoryBound(to: doorbell_outcome.self))
      }
    }
    status.leave()
    return Signal(outcome: outcome, route: route)
  }

  mutating func inject(route: UInt32) -> Outcome {
    var outcome = Outcome(outcome: .notRecorded)
    guard let inject = unsafe library.functions.inject else { return outcome }
    status.enter(.inject, at: given &- 1, count: 1)
    // Safety: as above.
    unsafe withUnsafeMutablePointer(to: &outcome) { outcome in
      unsafe inject(
        instance, route,
        UnsafeMutableRawPointer(outcome).assumingMemoryBound(to: doorbell_outcome.self))
    }
    status.leave()
    return outcome
  }

  // MARK: Batches

  mutating func replay(_ events: UnsafeBufferPointer<TraceEvent>, _ tally: inout PassTally) {
    // Safety: batches lie within the buffer, answers within the batch's.
    unsafe forEachBatch(events) { batch, answers in
      guard let answers = unsafe answers else { return }
      // As in the loop of `Replay`: a DMA access, the commonest by far, takes registers only.
      var digest = tally.digest
      var accesses: UInt64 = 0
      for index in 0..<batch.count {
        let kind = unsafe batch[index].kind
        if kind == .dma {
          accesses &+= 1
          unsafe digest = PassTally.extend(digest, by: answers[index])
        } else if kind == .msi {
          tally.digest = digest
          unsafe tally.addInterrupt(answers[index])
          digest = tally.digest
        } else if kind == .acknowledge {
          tally.acknowledges &+= 1
        }
      }
      tally.digest = digest
      tally.accesses &+= accesses
    }
  }

  /// Gives `events` to the plug-in, cut at changes between its two functions and at the limit. The body
  /// gets each batch with the answers, one place per event; nil for one that was configured.
  @inline(__always)
  mutating func forEachBatch(
    _ events: UnsafeBufferPointer<TraceEvent>,
    _ body: (UnsafeBufferPointer<TraceEvent>, UnsafeMutablePointer<Outcome>?) -> Void
  ) {
    guard var start = events.baseAddress else { return }
    // Safety: all pointers stay between the buffer's ends.
    let end = unsafe start + events.count
    while unsafe start < end {
      let most = unsafe UnsafeBufferPointer(start: start, count: min(batchLimit, end - start))
      let (count, accesses) = unsafe Self.measure(most)
      if count > 0 {
        let batch = unsafe UnsafeBufferPointer(start: start, count: count)
        let answers = unsafe translateRun(batch, accesses)
        if findsUnanswered { unsafe requireAnswers(batch, answers) }
        unsafe body(batch, answers)
        unsafe start += count
      } else {
        let count = unsafe most.firstIndex { !$0.kind.isConfigured } ?? most.count
        let batch = unsafe UnsafeBufferPointer(start: start, count: count)
        unsafe configureRun(batch)
        unsafe body(batch, nil)
        unsafe start += count
      }
    }
  }

  /// Events before the first that goes to `configure`, and accesses among them. Without a branch on what
  /// an event is, where there is none of those.
  @inline(__always)
  private static func measure(
    _ events: UnsafeBufferPointer<TraceEvent>
  ) -> (count: Int, accesses: Int) {
    var accesses: UInt32 = 0
    var configured: UInt32 = 0
    // Safety: below the buffer's end.
    for index in 0..<events.count {
      let kind = unsafe events[index].kind.rawValue
      accesses &+= kind &- 1 < 2 ? 1 : 0
      configured |= UInt32(kind & 0xE0 ^ 0x20) &- 1
    }
    guard configured >> 31 != 0 else { return (events.count, Int(accesses)) }
    let first = unsafe events.firstIndex { $0.kind.isConfigured } ?? events.count
    let before = unsafe events[..<first].count { $0.kind.isAccess }
    return (first, before)
  }

  private mutating func configureRun(_ events: UnsafeBufferPointer<TraceEvent>) {
    status.enter(.configure, at: given, count: events.count)
    given &+= UInt64(events.count)
    // Safety: the instance is live; the events have the header's layout.
    unsafe library.functions.configure(instance, Self.pointer(events), events.count)
    status.leave()
  }

  @inline(__always)
  private mutating func translateRun(
    _ events: UnsafeBufferPointer<TraceEvent>, _ accesses: Int
  ) -> UnsafeMutablePointer<Outcome> {
    let answers = unsafe outcomes.last(events.count)
    if findsUnanswered {
      // Safety: `last` gives room for so many.
      for index in 0..<events.count { unsafe answers[index] = Self.noAnswer }
    }
    status.enter(.translate, at: given, count: events.count)
    given &+= UInt64(events.count)
    // Safety: as above; answers behind the batch's lie on a page that cannot be touched.
    let answered = unsafe library.functions.translate(
      instance, Self.pointer(events), events.count,
      UnsafeMutableRawPointer(answers).assumingMemoryBound(to: doorbell_outcome.self))
    status.leave()
    if answered != accesses {
      status.fail(.wrongCount(name: library.name, expected: accesses, found: answered))
    }
    return unsafe answers
  }

  private func requireAnswers(
    _ events: UnsafeBufferPointer<TraceEvent>, _ answers: UnsafeMutablePointer<Outcome>
  ) {
    // Safety: one answer per event.
    for index in 0..<events.count
    where unsafe events[index].kind.isAccess && answers[index] == Self.noAnswer {
      status.fail(.unanswered(name: library.name, index: index))
    }
  }

  /// No design can mean it: there is no such class.
  private static let noAnswer = Outcome(
    address: ~0, intid: ~0, target: InterruptTarget(rawValue: 0xFFFF),
    outcome: OutcomeClass(rawValue: 0xFF), flags: 0xFF)

  @inline(__always)
  private static func pointer(
    _ events: UnsafeBufferPointer<TraceEvent>
  ) -> UnsafePointer<doorbell_event>? {
    // Safety: the layout of both is held fast on either side.
    unsafe UnsafeRawPointer(events.baseAddress)?.assumingMemoryBound(to: doorbell_event.self)
  }
}

extension EventKind {
  /// Whether it goes to `configure`.
  @inline(__always)
  fileprivate var isConfigured: Bool { isSetUp || isVCPU }
}

extension doorbell_geometry {
  init(_ geometry: TableGeometry) {
    self.init()
    struct_size = UInt32(MemoryLayout<doorbell_geometry>.size)
    device_id_bits = geometry.deviceIDBits
    event_id_bits = geometry.eventIDBits
    collection_id_bits = geometry.collectionIDBits
    vpe_id_bits = geometry.vPEIDBits
    intid_bits = geometry.intidBits
    stream_id_bits = geometry.streamIDBits
    input_address_bits = geometry.inputAddressBits
    output_address_bits = geometry.outputAddressBits
    pe_count = geometry.peCount
    vpe_count = geometry.vPECount
    its_translation_page = geometry.itsTranslationPage
  }
}
