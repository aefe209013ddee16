// Doorbells: everything between a device's write and the ITS that is not the SMMU itself.
//
// · `DoorbellGate`: is this write an interrupt, and whose? Before translation on x86, behind it on Arm.
// · `RequesterMap`: which StreamID and DeviceID a requester has, as firmware wires them.
// · `VirtualSMMUCore`: which SMMU commands of a guest go on to the hardware, and as what.
//
// Each is the fast form of a part of the reference model's folder `Doorbell`, proved equal to it by
// differential tests. What is not here has no speed to speak of: whether a device can be attached under
// a policy is a matrix, `AttachmentRule` in the reference model.
//
// The policies differ in memory reads only where translation misses. On a hit all four read nothing.
// One miss costs, with four levels of stage 1 and no cache but the configuration cache (n2 levels of
// stage 2 where the guest's tables lie, 3 or 4 at the doorbell's own 4 KiB page):
//
// | Policy | Stage 1 | Stage 2 | Reads |
// |---|---|---|---|
// | software window | 4 | – | 4 |
// | RMR identity | 4 | 4·n2 + the page's | 15 (2 MiB blocks), 19 (4 KiB), 24 (4 KiB, 48 bits) |
// | true nested doorbell | 4 | the same | the same |
// | hardware reserved | – | – | 0, and one entry of the remapping table |
//
// So an identity mapping saves no read: it is a mapping like any other, to the hardware.

/// Tells which of a device's writes are interrupts, for which ITS.
///
/// ```swift
/// let gate = DoorbellGate(frames: [0x10_2F10_0000])              // Arm: after translation
/// let arrival = gate.write(streamID: 8, address: 0xFFFF_F040, through: &smmu)
/// if arrival.kind == .translater { /* arrival.its, and the data is an EventID */ }
/// ```
@safe
@usableFromInline
package struct DoorbellGate: ~Copyable {
  /// ITS translation frames by address, without the low 16 bits, ascending.
  @usableFromInline let frames: UnsafeMutablePointer<UInt64>
  /// The caller's index of each.
  @usableFromInline let indices: UnsafeMutablePointer<UInt32>
  @usableFromInline let frameCount: Int
  @usableFromInline let interceptBase: UInt64
  @usableFromInline let interceptBytes: UInt64

  /// - Parameters:
  ///   - frames: the physical addresses of translation frames, 64 KiB each; of two equal ones the first
  ///     counts.
  ///   - base, bytes: of the range whose writes are interrupts without translation; 0 bytes: none.
  package init(frames: [UInt64], interceptBase base: UInt64 = 0, interceptBytes bytes: UInt64 = 0) {
    var seen: Set<UInt64> = []
    let sorted = frames.enumerated().map { (frame: $1 >> 16, index: UInt32($0)) }
      .filter { seen.insert($0.frame).inserted }.sorted { $0.frame < $1.frame }
    frameCount = sorted.count
    interceptBase = base
    interceptBytes = bytes
    // Safety: allocated for what is stored below, one at least; released in `deinit` only.
    unsafe self.frames = .allocate(capacity: max(1, sorted.count))
    unsafe indices = .allocate(capacity: max(1, sorted.count))
    for (place, entry) in sorted.enumerated() {
      unsafe (self.frames + place).initialize(to: entry.frame)
      unsafe (indices + place).initialize(to: entry.index)
    }
  }

  deinit {
    // Safety: made in `init`, of trivial type, and not handed out.
    unsafe frames.deallocate()
    unsafe indices.deallocate()
  }

  /// Whether a write to `address` is an interrupt before any translation: one comparison.
  @inlinable
  @inline(__always)
  package func intercepts(_ address: UInt64) -> Bool {
    address &- interceptBase < interceptBytes
  }

  /// What a physical address means to the interrupt controllers. O(log of the frames).
  @inlinable
  @inline(__always)
  package func arrival(at physical: UInt64, sizeBytes: UInt32 = 4) -> DoorbellArrival {
    let frame = physical &>> 16
    var first = 0
    var count = frameCount
    // Safety: the search stays within the frames, and looks at one only if there is one.
    while count > 1 {
      let half = count &>> 1
      first = unsafe frames[first &+ half] <= frame ? first &+ half : first
      count &-= half
    }
    guard count != 0, unsafe frames[first] == frame else {
      return DoorbellArrival(.memory, physical)
    }
    let isTranslater = physical & 0xFFFF == 0x40 && (sizeBytes == 4 || sizeBytes == 2)
    return DoorbellArrival(
      isTranslater ? .translater : .otherRegister, unsafe UInt64(indices[first]))
  }

  /// A write of a device, from the bus to where it ends.
  @inlinable
  @inline(__always)
  package func write(
    streamID: UInt32, address: UInt64, sizeBytes: UInt32 = 4, through smmu: inout SMMUCore
  ) -> DoorbellArrival {
    if intercepts(address) { return DoorbellArrival(.interrupt, address) }
    let result = smmu.translate(streamID: streamID, address: address, need: 2)
    if result.fault != 0 { return DoorbellArrival(.fault, UInt64(result.fault)) }
    return arrival(at: result.address, sizeBytes: sizeBytes)
  }
}

/// Where a device's write ended: the reference model's `DoorbellPolicy.Arrival`.
@frozen
@usableFromInline
package struct DoorbellArrival: Hashable, Sendable, BitwiseCopyable {
  @frozen
  @usableFromInline
  package enum Kind: UInt8, Hashable, Sendable, BitwiseCopyable {
    /// `value` is the address as written, which names an entry of the remapping table.
    case interrupt
    /// `value` is the index of the ITS.
    case translater
    /// The same, but no register that takes the write.
    case otherRegister
    /// `value` is the physical address.
    case memory
    /// `value` is the event number, `SMMUTranslation.fault`.
    case fault
  }
  @usableFromInline package var value: UInt64
  @usableFromInline package var kind: Kind

  @inlinable
  package init(_ kind: Kind, _ value: UInt64) {
    self.kind = kind
    self.value = value
  }
}
