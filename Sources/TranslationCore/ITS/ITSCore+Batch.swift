import CPlatform
package import EventModel

extension ITSCore {
  /// MSIs in the order of their arrival, each with the outcome that `translate` would give it.
  ///
  /// The counters are added to once per run of interrupts on the short way. `outcomes` has room for
  /// `count`.
  ///
  /// - Parameter isFar: the tables are far larger than the caches: what an MSI will read is asked
  ///   for some MSIs ahead. In tables that are at hand this only costs.
  package mutating func translateBatch(
    _ requests: UnsafePointer<ITSRequest>, count: Int,
    into outcomes: UnsafeMutablePointer<Outcome>, isFar: Bool = false
  ) {
    // Safety: the caller has `count` of both; `done` is below that wherever it is used.
    let batch = unsafe ITSPath.Batch(
      requests: requests, count: count, outcomes: outcomes, deviceCount: enabledDeviceCount)
    guard count > 0 else { return }
    if isFar { unsafe path.lookAhead(batch) }
    var done = 0
    while done < count {
      let run = unsafe isFar ? path.followFar(batch, from: done) : path.follow(batch, from: done)
      counters.add(run)
      done += run.count
      if done == count { break }
      let request = unsafe requests[done]
      unsafe outcomes[done] = translateByEveryRule(
        request.deviceID, request.eventID, onHost: false)
      done += 1
    }
  }
}

extension ITSPath {
  @unsafe
  struct Batch {
    let requests: UnsafePointer<ITSRequest>
    let count: Int
    let outcomes: UnsafeMutablePointer<Outcome>
    let deviceCount: UInt32
  }

  /// Interrupts that were raised on the short way, one after the other.
  struct Run {
    var count = 0
    /// Those of virtual entries.
    var virtual: UInt64 = 0
    /// The sum of their classes as `PendingTable` has them: 2, or 3 if it was pending.
    var classes: UInt64 = 0
  }

  /// Follows the requests from `start` up to one that is for every rule.
  ///
  /// Not inlined: without a call in the loop, all that it needs stays in registers.
  @inline(never)
  func follow(_ batch: Batch, from start: Int) -> Run { unsafe follow(batch, start) { _ in } }

  /// The same, asking for what later requests will read: for the device entry three steps ahead, for
  /// the ITT entry when that has come, for gate and state when this has.
  @inline(never)
  func followFar(_ batch: Batch, from start: Int) -> Run {
    unsafe follow(batch, start) { index in
      unsafe prefetchDevice(of: batch.request(index + 3 * Self.step))
      unsafe prefetchEntry(of: batch.request(index + 2 * Self.step), below: batch.deviceCount)
      unsafe prefetchState(of: batch.request(index + Self.step), below: batch.deviceCount)
    }
  }

  /// What `followFar` expects to have been asked for when it begins.
  func lookAhead(_ batch: Batch) {
    for index in 0..<3 * Self.step { unsafe prefetchDevice(of: batch.request(index)) }
    for index in 0..<2 * Self.step {
      unsafe prefetchEntry(of: batch.request(index), below: batch.deviceCount)
    }
    for index in 0..<Self.step {
      unsafe prefetchState(of: batch.request(index), below: batch.deviceCount)
    }
  }

  /// MSIs between asking for one table and asking for the next.
  private static var step: Int { 24 }

  @inline(__always)
  private func follow(_ batch: Batch, _ start: Int, ahead: (Int) -> Void) -> Run {
    var run = Run()
    var index = start
    while unsafe index < batch.count {
      ahead(index)
      // Safety: below the number of requests and outcomes.
      let request = unsafe batch.requests[index]
      let end = unsafe follow(
        request.deviceID, request.eventID, below: batch.deviceCount, onHost: false)
      if end.word == 0 { break }
      run.virtual &+= end.isVirtual
      run.classes &+= UInt64(end.change)
      unsafe (batch.outcomes + index).store(interrupt: end.word)
      index &+= 1
    }
    run.count = index - start
    return run
  }

  // A prefetch of any address is harmless; what is read on the way is checked like in `follow`.

  @inline(__always)
  private func prefetchDevice(of request: ITSRequest) {
    unsafe CPlatform_prefetch(devices + Int(truncatingIfNeeded: request.deviceID))
  }

  /// The request's entry, or one that is none.
  @inline(__always)
  private func entry(_ request: ITSRequest, below deviceCount: UInt32)
    -> UnsafeMutablePointer<ITSEntry>
  {
    // Safety: device 0 is always there.
    let device = unsafe devices[
      Int(truncatingIfNeeded: request.deviceID < deviceCount ? request.deviceID : 0)]
    return unsafe itts + (request.eventID < device.eventCount ? device.entry(request.eventID) : 0)
  }

  @inline(__always)
  private func prefetchEntry(of request: ITSRequest, below deviceCount: UInt32) {
    unsafe CPlatform_prefetch(entry(request, below: deviceCount))
  }

  @inline(__always)
  private func prefetchState(of request: ITSRequest, below deviceCount: UInt32) {
    // Safety: an entry of the arena, valid or 0, has a gate.
    let entry = unsafe entry(request, below: deviceCount).pointee
    let gate = unsafe gate(of: entry)
    unsafe CPlatform_prefetch(
      states + Int(truncatingIfNeeded: gate.pointee.states) + Int(entry.intid) * 2)
  }
}

extension ITSPath.Batch {
  /// A request, the last one again for those beyond.
  @inline(__always)
  func request(_ index: Int) -> ITSRequest {
    // Safety: a batch that is followed has at least one.
    unsafe requests[min(index, count - 1)]
  }
}

extension UnsafeMutablePointer<Outcome> {
  /// What `Outcome(interrupt:)` gives, in two stores instead of five.
  @inline(__always)
  fileprivate func store(interrupt word: UInt64) {
    // Safety: 16 bytes whose fields lie in the order of the word's bits, as every host of this
    // program is little-endian. The caller answers for the pointer.
    unsafe UnsafeMutableRawPointer(self).storeBytes(of: (0, word), as: (UInt64, UInt64).self)
  }
}
