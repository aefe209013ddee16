package import Synchronization

/// A posted-interrupt descriptor in memory, with the real atomics: the one cache line over which
/// posting threads and the vCPU contend (VT-d spec, §9.12).
///
///   word 0…3  PIR · word 4  ON 0, SN 1, NV 23:16, NDST 63:32
///
/// Any thread may post; one thread is the vCPU. The descriptor does not own its memory.
@frozen
@safe
package struct PostedDescriptor {
  @usableFromInline let words: UnsafeMutablePointer<Atomic<UInt64>>

  /// - Parameter words: 64 bytes, aligned to 64, initialised by `initialize`.
  @inlinable package init(words: UnsafeMutablePointer<Atomic<UInt64>>) { unsafe self.words = words }

  @usableFromInline static var outstanding: UInt64 { 1 }
  @usableFromInline static var suppress: UInt64 { 2 }

  /// What one post did. Exactly one of the last three is set by hardware; software that finds the request
  /// bit set does no more.
  @frozen
  package struct Posted: OptionSet, Sendable {
    package let rawValue: UInt8
    @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The request bit was set already.
    @inlinable package static var coalesced: Posted { Posted(rawValue: 1) }
    /// ON was set already: the vCPU knows.
    @inlinable package static var alreadyOutstanding: Posted { Posted(rawValue: 2) }
    /// SN was set: silent.
    @inlinable package static var suppressed: Posted { Posted(rawValue: 4) }
    /// A notification interrupt was sent.
    @inlinable package static var notified: Posted { Posted(rawValue: 8) }
  }

  /// The IOMMU's post (VT-d spec, §5.2.3).
  ///
  /// Orderings: the PIR bit is set with release before ON is looked at; `take` clears ON with acquire
  /// before it reads PIR. Whoever loses the race on ON still has its bit seen.
  @inlinable
  package func postByHardware(vector: UInt8, urgent: Bool) -> Posted {
    // Safety: vector / 64 is 0…3 and word 4 exists; the memory lives as long as its unit.
    let bit = UInt64(1) &<< UInt64(vector & 63)
    let old = unsafe words[Int(vector &>> 6)].bitwiseOr(bit, ordering: .acquiringAndReleasing)
      .oldValue
    let coalesced: Posted = old & bit != 0 ? .coalesced : []
    var control = unsafe words[4].load(ordering: .acquiring)
    while true {
      if control & Self.outstanding != 0 { return coalesced.union(.alreadyOutstanding) }
      if control & Self.suppress != 0 && !urgent { return coalesced.union(.suppressed) }
      let (exchanged, found) = unsafe words[4].compareExchange(
        expected: control, desired: control | Self.outstanding, ordering: .acquiringAndReleasing)
      if exchanged { return coalesced.union(.notified) }
      control = found
    }
  }

  /// Software's post (Linux, arch/x86/kvm/vmx/vmx.c, vmx_deliver_posted_interrupt): stops at a set
  /// request bit, then at a set ON; does not look at SN.
  @inlinable
  package func postBySoftware(vector: UInt8) -> Posted {
    // Safety: vector / 64 is 0…3 and word 4 exists. Orderings as in `postByHardware`.
    let bit = UInt64(1) &<< UInt64(vector & 63)
    let old = unsafe words[Int(vector &>> 6)].bitwiseOr(bit, ordering: .acquiringAndReleasing)
      .oldValue
    if old & bit != 0 { return .coalesced }
    let control = unsafe words[4].bitwiseOr(Self.outstanding, ordering: .acquiringAndReleasing)
      .oldValue
    return control & Self.outstanding != 0 ? .alreadyOutstanding : .notified
  }

  /// The CPU takes the notification: clears ON, then empties PIR. Calls `body` per 64-bit word.
  @inlinable
  package func take(_ body: (_ word: Int, _ bits: UInt64) -> Void) {
    // Safety: words 0…4 exist. Pairs with `postByHardware`: see there.
    _ = unsafe words[4].bitwiseAnd(~Self.outstanding, ordering: .acquiringAndReleasing)
    for word in 0..<4 {
      // Safety: as above.
      if unsafe words[word].load(ordering: .relaxed) == 0 { continue }
      let bits = unsafe words[word].exchange(0, ordering: .acquiringAndReleasing)
      if bits != 0 { body(word, bits) }
    }
  }

  @inlinable
  package func isRequested(_ vector: UInt8) -> Bool {
    // Safety: vector / 64 is 0…3.
    unsafe words[Int(vector &>> 6)].load(ordering: .acquiring) &>> UInt64(vector & 63) & 1 == 1
  }

  /// The guest takes one vector outside of notification processing. Returns whether it was requested.
  @inlinable
  package func acknowledge(vector: UInt8) -> Bool {
    let bit = UInt64(1) &<< UInt64(vector & 63)
    // Safety: vector / 64 is 0…3, word 4 exists.
    let old = unsafe words[Int(vector &>> 6)].bitwiseAnd(~bit, ordering: .acquiringAndReleasing)
      .oldValue
    _ = unsafe words[4].bitwiseAnd(~Self.outstanding, ordering: .acquiringAndReleasing)
    return old & bit != 0
  }

  /// Changes SN, NV and NDST in one compare-exchange; sets ON if requests wait and `notifies`.
  package func setControl(
    suppress: Bool, notificationVector: UInt8, destination: UInt32, notifies: Bool
  ) {
    var waiting = false
    if notifies {
      for word in 0..<4 {
        // Safety: words 0…3 exist.
        if unsafe words[word].load(ordering: .acquiring) != 0 { waiting = true }
      }
    }
    // Safety: word 4 exists.
    var control = unsafe words[4].load(ordering: .acquiring)
    while true {
      let desired =
        (control & Self.outstanding) | (waiting ? Self.outstanding : 0)
        | (suppress ? Self.suppress : 0) | UInt64(notificationVector) << 16
        | UInt64(destination) << 32
      // Safety: as above.
      let (exchanged, found) = unsafe words[4].compareExchange(
        expected: control, desired: desired, ordering: .acquiringAndReleasing)
      if exchanged { return }
      control = found
    }
  }

  /// Word `index` as it stands, for tests and exports.
  package func word(_ index: Int) -> UInt64 {
    precondition((0..<5).contains(index))
    // Safety: checked above.
    return unsafe words[index].load(ordering: .acquiring)
  }
}
