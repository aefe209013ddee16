package import EventModel

/// The host's end of a guest's SMMU: the reference model's `VirtualSMMU` over two flat tables.
///
/// Each command of the guest is checked for its bits and, if it names a stream, for ownership; the
/// guest's VMID and StreamID give way to the real ones. A refusal is an answer, not an error, and is
/// counted by reason.
///
/// **Cost.** A command is a `switch` and two masks; with a StreamID, one load more. Nothing allocates
/// after `init`.
///
/// **Limits.** StreamIDs beyond the tables cannot be given to a guest: `add` says no. A virtual SMMU has
/// as many StreamID bits as it tells the guest (SMMU_IDR1.SIDSIZE).
@safe
@usableFromInline
package struct VirtualSMMUCore: ~Copyable {
  /// Index: virtual StreamID. Bit 31: owned; below, the physical StreamID.
  @usableFromInline let streams: UnsafeMutablePointer<UInt32>
  @usableFromInline let streamCount: UInt32
  @usableFromInline let vmidField: UInt64
  @usableFromInline package internal(set) var accepted: UInt64 = 0
  @usableFromInline package internal(set) var refusals = VirtualSMMURefusals()
  package let vmid: UInt16

  /// Index: physical StreamID. Bit 31: given away; below, the virtual StreamID.
  private let owners: UnsafeMutablePointer<UInt32>
  private let ownerCount: UInt32
  private let streamPages: ZeroedPages
  private let ownerPages: ZeroedPages

  /// - Parameters:
  ///   - virtualBits: of the guest's StreamIDs, at most 20.
  ///   - physicalBits: of the host's, at most 20.
  package init(vmid: UInt16, virtualBits: UInt32 = 16, physicalBits: UInt32 = 16) {
    precondition(virtualBits <= 20 && physicalBits <= 20, "a flat table has at most 2^20 entries")
    self.vmid = vmid
    vmidField = UInt64(vmid) << 32
    streamCount = 1 << virtualBits
    ownerCount = 1 << physicalBits
    streamPages = ZeroedPages(byteCount: Int(streamCount) * 4)
    ownerPages = ZeroedPages(byteCount: Int(ownerCount) * 4)
    unsafe streams = streamPages.table(of: UInt32.self)
    unsafe owners = ownerPages.table(of: UInt32.self)
  }

  @usableFromInline static var owned: UInt32 { 1 << 31 }

  /// Gives the guest a device. False if the virtual or the real StreamID is taken, or beyond the tables.
  package mutating func add(virtual: StreamID, physical: StreamID) -> Bool {
    let (name, stream) = (virtual.rawValue, physical.rawValue)
    // Safety: checked in the same expression.
    guard name < streamCount, stream < ownerCount, unsafe streams[Int(name)] == 0,
      unsafe owners[Int(stream)] == 0
    else { return false }
    unsafe streams[Int(name)] = Self.owned | stream
    unsafe owners[Int(stream)] = Self.owned | name
    return true
  }

  package mutating func remove(virtual: StreamID) {
    // Safety: checked in the same expression; an entry names a stream of the other table.
    guard virtual.rawValue < streamCount, unsafe streams[Int(virtual.rawValue)] != 0 else { return }
    let stream = unsafe streams[Int(virtual.rawValue)] & ~Self.owned
    unsafe owners[Int(stream)] = 0
    unsafe streams[Int(virtual.rawValue)] = 0
  }

  /// Under which name the guest knows the stream of an event; nil if it is not the guest's.
  package func virtual(ofPhysical stream: StreamID) -> StreamID? {
    // Safety: checked in the same expression.
    guard stream.rawValue < ownerCount, unsafe owners[Int(stream.rawValue)] != 0 else { return nil }
    return unsafe StreamID(owners[Int(stream.rawValue)] & ~Self.owned)
  }
}

/// The 16 bytes of an SMMU command.
@frozen
@usableFromInline
package struct SMMUCommandWords: Hashable, Sendable, BitwiseCopyable {
  @usableFromInline package var dw0: UInt64
  @usableFromInline package var dw1: UInt64
  @inlinable
  package init(_ dw0: UInt64, _ dw1: UInt64) {
    self.dw0 = dw0
    self.dw1 = dw1
  }
}

/// Refused commands by reason: the reference model's `VirtualSMMU.Refusal`.
@frozen
@usableFromInline
package struct VirtualSMMURefusals: Hashable, Sendable, BitwiseCopyable {
  @frozen
  @usableFromInline
  package enum Reason: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// Not one of the invalidations that a guest may issue.
    case command
    /// A field outside those that the command has.
    case reservedBits
    /// NUM, SCALE, TTL and TG in a reserved combination, or an ATC_INV of more than everything.
    case reservedRange
    /// A virtual StreamID that this guest does not own.
    case foreignStream
  }

  @usableFromInline package internal(set) var command: UInt64 = 0
  @usableFromInline package internal(set) var reservedBits: UInt64 = 0
  @usableFromInline package internal(set) var reservedRange: UInt64 = 0
  @usableFromInline package internal(set) var foreignStream: UInt64 = 0

  package subscript(_ reason: Reason) -> UInt64 {
    switch reason {
    case .command: command
    case .reservedBits: reservedBits
    case .reservedRange: reservedRange
    case .foreignStream: foreignStream
    }
  }

  @inlinable
  mutating func count(_ reason: Reason) {
    switch reason {
    case .command: command &+= 1
    case .reservedBits: reservedBits &+= 1
    case .reservedRange: reservedRange &+= 1
    case .foreignStream: foreignStream &+= 1
    }
  }
}
