/// Sizes and places that a replay must know before the first event. Part of the trace header.
public struct TableGeometry: Hashable, Sendable, Codable {
  /// log2 of the number of IDs that each table can hold.
  public var deviceIDBits: UInt8 = 16
  public var eventIDBits: UInt8 = 16
  public var collectionIDBits: UInt8 = 16
  public var vPEIDBits: UInt8 = 16
  public var intidBits: UInt8 = 16
  public var streamIDBits: UInt8 = 16
  /// Input and output address widths of stage 1, in bits.
  public var inputAddressBits: UInt8 = 48
  public var outputAddressBits: UInt8 = 44
  /// Processing elements of the recorded machine, and vPEs seen in VMAPP commands.
  public var peCount: UInt16 = 1
  public var vPECount: UInt16 = 0
  /// Where the recorded machine (the guest, to a design) sees its ITS translation page. The doorbell
  /// GITS_TRANSLATER is at +0x40 (IHI 0069, §12.19).
  public var itsTranslationPage: UInt64 = 0x0809_0000
  public init() {}

  public var doorbell: UInt64 { itsTranslationPage + 0x40 }
}
