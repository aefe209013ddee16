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
    // Safety: the caller has `count` of both.
    let batch = unsafe ITSPath.Batch(
      requests: requests, count: count, outcomes: outcomes, deviceCount: enabledDeviceCount)
    if !isFar { return unsafe translate(batch) { unsafe $0.follow(batch, from: $1) } }
    // Safety: the window lives during the closure, which writes each step before it reads it.
    unsafe withUnsafeTemporaryAllocation(of: ITSPath.Step.self, capacity: ITSPath.windowCount) {
      let window = $0.baseAddress!
      unsafe path.lookAhead(batch, window)
      unsafe translate(batch) { unsafe $0.follow(batch, from: $1, ahead: window) }
    }
  }

  private mutating func translate(
    _ batch: ITSPath.Batch, run: (ITSPath, Int) -> ITSPath.Run
  ) {
    var done = 0
    while unsafe done < batch.count {
      let run = run(path, done)
      counters.add(run)
      done += run.count
      if unsafe done == batch.count { break }
      // Safety: below the number of requests and outcomes.
      let request = unsafe batch.requests[done]
      unsafe batch.outcomes[done] = translateByEveryRule(
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
  func follow(_ batch: Batch, from start: Int) -> Run {
    var run = Run()
    var index = start
    while unsafe index < batch.count {
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
}

extension UnsafeMutablePointer<Outcome> {
  /// What `Outcome(interrupt:)` gives, in two stores instead of five.
  @inline(__always)
  func store(interrupt word: UInt64) {
    // Safety: 16 bytes whose fields lie in the order of the word's bits, as every host of this
    // program is little-endian. The caller answers for the pointer.
    unsafe UnsafeMutableRawPointer(self).storeBytes(of: (0, word), as: (UInt64, UInt64).self)
  }
}
