import CPlatform
import EventModel

// The same way in four stages, `distance` MSIs apart: ask for the device entry; read it and ask for the
// ITT entry; read that and ask for the state; raise. By the time a stage reads, what was asked for has
// come. A command cannot come between, so what a stage found holds for the next.

extension ITSPath {
  /// What a stage leaves for the next: where the ITT entry is, then where the state is, and the upper
  /// word of the outcome without its class.
  @unsafe
  struct Step {
    var place: UnsafeMutableRawPointer
    var word: UInt64
    var isVirtual: UInt64
  }

  /// MSIs between two stages.
  private static var distance: Int { 24 }
  /// Steps under way, and those that are being replaced; a power of two.
  static var windowCount: Int { 64 }

  /// What `follow` expects of the first MSIs.
  func lookAhead(_ batch: Batch, _ window: UnsafeMutablePointer<Step>) {
    guard unsafe batch.count > 0 else { return }
    for index in 0..<3 * Self.distance { unsafe askForDevice(batch, index) }
    for index in 0..<2 * Self.distance { unsafe askForEntry(batch, index, window) }
    for index in 0..<Self.distance { unsafe askForState(index, window) }
  }

  /// Like `follow(_:from:)`. It goes on where the last run ended and one MSI was for every rule.
  @inline(never)
  func follow(_ batch: Batch, from start: Int, ahead window: UnsafeMutablePointer<Step>) -> Run {
    var run = Run()
    var index = start
    while unsafe index < batch.count {
      unsafe askForDevice(batch, index &+ 3 &* Self.distance)
      unsafe askForEntry(batch, index &+ 2 &* Self.distance, window)
      unsafe askForState(index &+ Self.distance, window)
      // Safety: as `ITSPath.follow`; the step was made by `askForState` from a valid entry or none.
      let step = unsafe self.step(index, window)
      let state = unsafe step.pointee.place.assumingMemoryBound(to: UInt8.self)
      let acknowledged = unsafe state[1]
      let change = unsafe state[0] ^ acknowledged
      if change & PendingTable.knownEnabled == 0 { break }
      unsafe state[0] = acknowledged ^ (PendingTable.knownEnabled | PendingTable.phase)
      unsafe run.virtual &+= step.pointee.isVirtual
      run.classes &+= UInt64(change)
      unsafe (batch.outcomes + index).store(interrupt: step.pointee.word | UInt64(change) &<< 48)
      index &+= 1
    }
    run.count = index - start
    return run
  }

  @inline(__always)
  private func step(
    _ index: Int, _ window: UnsafeMutablePointer<Step>
  ) -> UnsafeMutablePointer<Step> {
    unsafe window + (index & (Self.windowCount - 1))
  }

  /// A request, the last one again for those beyond.
  @inline(__always)
  private func request(_ batch: Batch, _ index: Int) -> ITSRequest {
    // Safety: a batch that is followed has at least one.
    unsafe batch.requests[min(index, batch.count &- 1)]
  }

  @inline(__always)
  private func askForDevice(_ batch: Batch, _ index: Int) {
    // Safety: asking for any address is harmless.
    unsafe CPlatform_prefetch(
      devices + Int(truncatingIfNeeded: request(batch, index).deviceID))
  }

  @inline(__always)
  private func askForEntry(_ batch: Batch, _ index: Int, _ window: UnsafeMutablePointer<Step>) {
    let request = unsafe request(batch, index)
    // Safety: no entry names the first gate, so it is 0 for ever and reads as an entry that is none.
    // DeviceID and EventID are checked as in `ITSPath.follow`.
    var place = unsafe UnsafeMutableRawPointer(gates)
    if unsafe request.deviceID < batch.deviceCount {
      let device = unsafe devices[Int(truncatingIfNeeded: request.deviceID)]
      if request.eventID < device.eventCount {
        unsafe place = UnsafeMutableRawPointer(itts + device.entry(request.eventID))
      }
    }
    unsafe CPlatform_prefetch(place)
    unsafe step(index, window).pointee.place = place
  }

  @inline(__always)
  private func askForState(_ index: Int, _ window: UnsafeMutablePointer<Step>) {
    let step = unsafe step(index, window)
    // Safety: `askForEntry` left the place of an entry; a gate leads to a state for each INTID.
    let entry = unsafe step.pointee.place.assumingMemoryBound(to: ITSEntry.self).pointee
    let gate = unsafe gate(of: entry)
    let state =
      unsafe states + Int(truncatingIfNeeded: gate.pointee.states)
      + Int(truncatingIfNeeded: entry.intid) &* 2
    unsafe CPlatform_prefetch(state)
    unsafe step.pointee = Step(
      place: UnsafeMutableRawPointer(state), word: UInt64(entry.intid) | gate.pointee.target,
      isVirtual: entry.virtualCount)
  }
}
