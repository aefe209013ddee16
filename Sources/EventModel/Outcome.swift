/// What one translation gave: 16 bytes, returned in registers.
@frozen
public struct Outcome: Hashable, Sendable, BitwiseCopyable {
  /// The physical address that the access reached. For an MSI, that of the doorbell register.
  public var address: UInt64
  /// The interrupt that became pending; 0 for DMA and for losses.
  public var intid: UInt32
  /// Where the interrupt goes, as the guest numbers it.
  public var target: InterruptTarget
  public var outcome: OutcomeClass
  /// `doorbellRaised`, `takenByHost`.
  public var flags: UInt8

  @inlinable
  public init(
    address: UInt64 = 0, intid: UInt32 = 0, target: InterruptTarget = .pe(0),
    outcome: OutcomeClass, flags: UInt8 = 0
  ) {
    self.address = address
    self.intid = intid
    self.target = target
    self.outcome = outcome
    self.flags = flags
  }

  /// Bit 0: the translation also raised a doorbell LPI (the vPE was not resident).
  @inlinable public static var doorbellRaised: UInt8 { 1 }
  /// Bit 1: a physical entry was found; the host's software has to take the interrupt further.
  @inlinable public static var takenByHost: UInt8 { 2 }
}
