import CLive
import CLivePeer
import CPlatform
import Glibc
import Measurement

/// A device that interrupts the guest through an eventfd, one interrupt in flight, and verifies each
/// in what the guest wrote. The loop is here twice: in Swift, and as `CLivePeer_deliver` in C.
@safe struct InterruptDevice {
  let words: SharedWords
  /// What the Swift loop signals, and what the C loop does: two, because a bounce thread waits on each.
  let eventfd: Int32
  let peerEventfd: Int32
  let vector: UInt32
  /// Ticks between one interrupt's end and the next.
  let gapTicks: UInt64
  let timeoutTicks: UInt64
  /// Whether to give the CPU away while waiting, because the thread that injects shares it.
  let yields: Bool
  /// Where KVM tells whether the vCPU sleeps; nil where the device does not wait for that.
  let sleepWord: SleepWord?

  struct SleepWord {
    var descriptor: Int32
    var offset: Int
  }

  /// How a block of interrupts ended.
  enum End: Hashable {
    case done
    /// The last one did not come in time.
    case timedOut
  }

  /// Offers as many interrupts as `stamps` has room for. `count` says how many were offered.
  @inline(never)
  func deliver(
    into stamps: UnsafeMutableBufferPointer<CLivePeerStamps>, count: inout Int
  ) throws(LiveError) -> End {
    var delivered = words.delivered
    var offered = words.offered
    count = 0
    while count < stamps.count {
      let start = CPlatform_cycles()
      let deadline = start &+ timeoutTicks
      while CPlatform_cycles() &- start < gapTicks { CPlatform_pause() }
      if let sleepWord, try !awaitSleep(sleepWord, deadline) { return .timedOut }
      offered &+= 1
      words.offered = offered
      let before = CPlatform_cyclesOrdered()
      let error = CPlatform_eventfdSignal(eventfd)
      let returned = CPlatform_cyclesOrdered()
      guard error == 0 else { throw .system(call: "write to an eventfd", code: error) }
      count &+= 1
      while words.delivered == delivered {
        if CPlatform_cycles() > deadline { return .timedOut }
        if yields { sched_yield() } else { CPlatform_pause() }
      }
      let seen = CPlatform_cyclesOrdered()
      delivered &+= 1
      let record = words.record(delivered)
      // Safety: `count` was below the buffer's count before it rose by one.
      unsafe stamps[count &- 1] = CLivePeerStamps(
        before: before, returned: returned, guest: record.tsc, seen: seen)
      guard record.sequence == delivered, record.vector == UInt64(vector),
        record.offered == offered
      else { throw wrong(record, sequence: delivered, offered: offered) }
    }
    return .done
  }

  /// The same in C.
  func deliverInC(
    into stamps: UnsafeMutableBufferPointer<CLivePeerStamps>, count: inout Int
  ) throws(LiveError) -> End {
    var device = unsafe CLivePeerDevice(
      offered: words.offeredPointer, delivered: words.deliveredPointer,
      records: words.recordsPointer, record_count: UInt64(GuestLayout.recordCount),
      eventfd: peerEventfd, statistics: sleepWord?.descriptor ?? -1,
      blocking_offset: Int64(sleepWord?.offset ?? 0), vector: UInt64(vector), gap_ticks: gapTicks,
      timeout_ticks: timeoutTicks, yields: yields ? 1 : 0)
    // Safety: the buffer has room for as many stamps as are asked for.
    let result = unsafe CLivePeer_deliver(&device, stamps.baseAddress!, stamps.count, &count)
    switch result {
    case 0: return .done
    case -ETIME: return .timedOut
    case -EBADMSG:
      let delivered = words.delivered
      throw wrong(words.record(delivered), sequence: delivered, offered: words.offered)
    default: throw .system(call: "the loop in C", code: -result)
    }
  }

  /// Offers `count` interrupts without waiting in between.
  func burst(_ count: Int) throws(LiveError) {
    for _ in 0..<count {
      words.offered = words.offered &+ 1
      let error = CPlatform_eventfdSignal(eventfd)
      guard error == 0 else { throw .system(call: "write to an eventfd", code: error) }
    }
  }

  /// Waits until the guest's last record covers every offer. False if that is not so in time.
  func quiesce() -> Bool {
    let deadline = CPlatform_cycles() &+ timeoutTicks
    while words.covered < words.offered {
      if CPlatform_cycles() > deadline { return false }
      if yields { sched_yield() } else { CPlatform_pause() }
    }
    return true
  }

  private func awaitSleep(_ word: SleepWord, _ deadline: UInt64) throws(LiveError) -> Bool {
    while true {
      var isBlocking: UInt64 = 0
      // Safety: eight bytes are read into a local of eight.
      guard unsafe pread(word.descriptor, &isBlocking, 8, word.offset) == 8 else {
        throw .system(call: "read of the vCPU's statistics", code: errno)
      }
      if isBlocking != 0 { return true }
      if CPlatform_cycles() > deadline { return false }
      CPlatform_pause()
    }
  }

  private func wrong(_ record: GuestRecord, sequence: UInt64, offered: UInt64) -> LiveError {
    .wrongDelivery(
      expected: "interrupt \(sequence) of vector \(vector) for offer \(offered)",
      found: "interrupt \(record.sequence) of vector \(record.vector) for offer \(record.offered)")
  }
}
