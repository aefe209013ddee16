import CLive
import CLivePeer

/// What guest and host tell each other through memory (`GuestLayout`).
///
/// The guest stores a record and then counts it in `delivered`; who observes the count sees the record.
/// The host alone writes `offered`, before it signals; the guest reads it in its handler.
@safe struct SharedWords {
  // Safety: the owner keeps the memory mapped; all addresses below lie inside of it and are multiples
  // of eight.
  private let memory: UnsafeMutableRawPointer
  private let owner: GuestMachine

  init(memory: UnsafeMutableRawPointer, owner: GuestMachine) {
    unsafe self.memory = unsafe memory
    self.owner = owner
  }

  var offeredPointer: UnsafeMutablePointer<UInt64> {
    unsafe (memory + Int(GuestLayout.offered)).assumingMemoryBound(to: UInt64.self)
  }

  var deliveredPointer: UnsafePointer<UInt64> {
    unsafe UnsafePointer(
      (memory + Int(GuestLayout.delivered)).assumingMemoryBound(to: UInt64.self))
  }

  var recordsPointer: UnsafePointer<CLivePeerRecord> {
    unsafe UnsafePointer(
      (memory + Int(GuestLayout.records)).assumingMemoryBound(to: CLivePeerRecord.self))
  }

  @inline(__always)
  var offered: UInt64 {
    get { unsafe CLive_observe(offeredPointer) }
    nonmutating set { unsafe CLive_publish(offeredPointer, newValue) }
  }

  /// How many interrupts the guest has taken.
  @inline(__always)
  var delivered: UInt64 { unsafe CLive_observe(deliveredPointer) }

  /// The record with this sequence (from 1), which `delivered` must have counted, among the last
  /// `GuestLayout.recordCount`.
  @inline(__always)
  func record(_ sequence: UInt64) -> GuestRecord {
    let index = Int((sequence &- 1) & UInt64(GuestLayout.recordCount - 1))
    // Safety: the index is below the count of records.
    let record = unsafe recordsPointer[index]
    return GuestRecord(
      tsc: record.tsc, offered: record.offered, vector: record.vector, sequence: record.sequence)
  }

  /// The highest offer that the guest's last record covers; 0 without a record.
  var covered: UInt64 {
    let delivered = delivered
    return delivered == 0 ? 0 : record(delivered).offered
  }

  /// Ticks that the guest spent on programming an entry, by its own clock.
  func programmingTicks(_ entry: Int) -> UInt64 {
    let offset = Int(GuestLayout.programmingStamps) + 16 * entry
    // Safety: there are stamps for `vectorCount` entries.
    let stamps = unsafe (memory + offset).assumingMemoryBound(to: UInt64.self)
    return unsafe CLive_observe(stamps + 1) &- CLive_observe(stamps)
  }
}
