extension SMMUCore {
  /// Translates one access of a device.
  ///
  /// With a TLB hit: one lookup by StreamID, one TLB line, no store but the counter. An access that
  /// is said to be neither read nor write is checked as a read.
  @inlinable
  @inline(__always)
  package mutating func translate(
    streamID: UInt32, address: UInt64, write: Bool, read: Bool
  ) -> SMMUTranslation {
    counters.accesses &+= 1
    let need: UInt64 = (write ? 2 : 0) | (read || !write ? 1 : 0)
    if streamID <= lastStreamID {
      // Safety: `lookups` has `lastStreamID` + 1 entries; a set index is masked, and `ways` lines
      // follow it inside the TLB's allocation.
      let stream = unsafe lookups + Int(truncatingIfNeeded: streamID)
      if unsafe address < stream.pointee.limit {
        let mask = unsafe stream.pointee.pageMask
        let tag = unsafe ((address & mask) &<< 12) | stream.pointee.key
        let set =
          unsafe ((address &>> UInt64(stream.pointee.shift)) ^ UInt64(stream.pointee.salt))
          & tlbSetMask
        let line = unsafe tlbLines + Int(truncatingIfNeeded: set &* tlbWays)
        if unsafe line.pointee.tag == tag, unsafe ~line.pointee.data & need == 0 {
          let output = unsafe line.pointee.data
          return SMMUTranslation(address: ((output ^ address) & mask) ^ address)
        }
      }
    }
    return resolve(streamID, address, need)
  }
}
