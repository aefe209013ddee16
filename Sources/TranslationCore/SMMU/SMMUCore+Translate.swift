extension SMMUCore {
  /// Translates one access of a device.
  ///
  /// An access that is said to be neither read nor write is checked as a read.
  @inlinable
  @inline(__always)
  package mutating func translate(
    streamID: UInt32, address: UInt64, write: Bool, read: Bool
  ) -> SMMUTranslation {
    translate(
      streamID: streamID, address: address, need: (write ? 2 : 0) | (read || !write ? 1 : 0))
  }

  /// The permissions that an access needs, bit 0 read and bit 1 write, from the raw value of
  /// `EventFlags`, which has them in these places.
  @inlinable
  @inline(__always)
  package static func need(_ flags: UInt8) -> UInt64 {
    let stated = UInt64(flags & 3)
    return stated &+ (stated == 0 ? 1 : 0)
  }

  /// Translates one access. With a TLB hit: one lookup by StreamID, one TLB line, no store but the
  /// counter.
  @inlinable
  @inline(__always)
  package mutating func translate(
    streamID: UInt32, address: UInt64, need: UInt64
  ) -> SMMUTranslation {
    counters.accesses &+= 1
    if streamID <= lastStreamID {
      // Safety: `lookups` has `lastStreamID` + 1 entries; a masked offset is that of a TLB line.
      let stream = unsafe lookups + Int(truncatingIfNeeded: streamID)
      if unsafe address < stream.pointee.limit {
        let tag = unsafe (address & stream.pointee.pageMask) | stream.pointee.key
        let page = unsafe address &>> UInt64(stream.pointee.setShift)
        let offset = unsafe (page ^ UInt64(stream.pointee.salt)) & tlbSetMask
        let line = unsafe tlbLines.advanced(by: Int(truncatingIfNeeded: offset))
          .assumingMemoryBound(to: TranslationBuffer.Line.self)
        if unsafe line.pointee.tag == tag {
          let data = unsafe line.pointee.data
          if data & need == 0 { return SMMUTranslation(address: address &+ (data & ~0xFFF)) }
          return denied(streamID, address, need)
        }
      }
    }
    return resolve(streamID, address, need)
  }
}
