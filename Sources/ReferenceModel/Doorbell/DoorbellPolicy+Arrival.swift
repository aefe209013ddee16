package import EventModel

extension DoorbellPolicy {
  /// Where a device's write ends.
  package enum Arrival: Hashable, Sendable {
    /// Taken for an interrupt before any translation: index the remapping table (x86).
    case interrupt
    /// GITS_TRANSLATER of the ITS with this index: the data is an EventID.
    case translater(its: Int)
    /// The translation frame of an ITS, but not its one register, or not in a size that this takes
    /// (IHI 0069, §12.19: 16 and 32 bits).
    case otherRegister(its: Int)
    case memory(UInt64)
    /// Terminated by the SMMU.
    case fault(OutcomeClass)
  }

  /// A write of `sizeBytes` to `address` by the stream, in a machine with these ITS translation frames
  /// (64 KiB each, by physical address).
  package func arrival(
    of address: UInt64, sizeBytes: UInt32 = 4, streamID: UInt32, frames: [UInt64],
    through smmu: inout SMMU
  ) -> Arrival {
    if intercepts(address) { return .interrupt }
    let result = smmu.translate(streamID: streamID, address: address, access: .write)
    guard let physical = result.address else { return .fault(result.outcomeClass) }
    guard let its = frames.firstIndex(where: { physical >> 16 == $0 >> 16 }) else {
      return .memory(physical)
    }
    let isTranslater = physical & 0xFFFF == 0x40 && (sizeBytes == 4 || sizeBytes == 2)
    return isTranslater ? .translater(its: its) : .otherRegister(its: its)
  }
}
