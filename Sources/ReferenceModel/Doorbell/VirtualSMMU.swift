package import EventModel

/// The host's end of a guest's SMMU: which of the guest's commands go on to the physical one, and
/// which events come back. It is iommufd's vIOMMU object for SMMUv3, as a value.
///
/// A guest names streams by virtual StreamID and knows only its own VMID; the host puts the real
/// ones in. A virtual StreamID that was not given to the guest, a command that is not an
/// invalidation of its own, or a stray bit is refused before it can stop the shared queue (Linux,
/// drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-iommufd.c: arm_vsmmu_validate_user_cmd,
/// arm_vsmmu_convert_user_cmd, arm_vmaster_report_event).
package struct VirtualSMMU: Sendable {
  package enum Refusal: Error, Hashable, Sendable, CaseIterable {
    /// Not one of the invalidations that a guest may issue.
    case command
    /// A field outside those that the command has.
    case reservedBits
    /// NUM, SCALE, TTL and TG in a combination that the specification reserves.
    case reservedRange
    /// A virtual StreamID that this guest does not own.
    case foreignStream
  }

  package let vmid: UInt16
  package private(set) var streams: [UInt32: UInt32] = [:]
  package private(set) var accepted: UInt64 = 0
  package private(set) var refused: [Refusal: UInt64] = [:]

  package init(vmid: UInt16) { self.vmid = vmid }

  /// Gives the guest a device. False if the virtual or the real StreamID is taken.
  package mutating func add(virtual: StreamID, physical: StreamID) -> Bool {
    guard streams[virtual.rawValue] == nil, !streams.values.contains(physical.rawValue) else {
      return false
    }
    streams[virtual.rawValue] = physical.rawValue
    return true
  }

  package mutating func remove(virtual: StreamID) { streams[virtual.rawValue] = nil }

  /// Rewrites one command of the guest for the physical queue, or refuses and counts it.
  package mutating func convert(
    _ dw0: UInt64, _ dw1: UInt64
  ) throws(Refusal) -> (UInt64, UInt64) {
    do throws(Refusal) {
      let converted = try rewrite(dw0, dw1)
      accepted += 1
      return converted
    } catch {
      refused[error, default: 0] += 1
      throw error
    }
  }

  /// What became of an array of commands.
  package struct Batch: Sendable {
    /// Rewritten, and on the physical queue.
    package var issued: [(UInt64, UInt64)] = []
    /// Why the rest was not.
    package var refusal: Refusal?
  }

  /// Commands that are checked and issued together: Linux's CMDQ_BATCH_ENTRIES - 1, a slot being kept
  /// for the CMD_SYNC (arm_vsmmu_cache_invalidate).
  package static let batchLimit = 63

  /// Rewrites a whole array, batch by batch. A refusal fails its batch, of which nothing is issued, and
  /// ends the call; the batches before it have been issued.
  package mutating func convert(_ commands: [(UInt64, UInt64)]) -> Batch {
    var batch = Batch()
    for start in stride(from: 0, to: commands.count, by: Self.batchLimit) {
      var converted: [(UInt64, UInt64)] = []
      for (dw0, dw1) in commands[start..<min(start + Self.batchLimit, commands.count)] {
        do throws(Refusal) {
          converted.append(try rewrite(dw0, dw1))
        } catch {
          refused[error, default: 0] += 1
          batch.refusal = error
          return batch
        }
      }
      accepted += UInt64(converted.count)
      batch.issued += converted
    }
    return batch
  }

  private static let opcodeBits: UInt64 = .field(0xFF as UInt64, 7, 0)
  private static let streamBits: UInt64 = .field(UInt64.max, 63, 32)
  private static let vmidBits: UInt64 = .field(UInt64.max, 47, 32)
  private static let asidBits: UInt64 = .field(UInt64.max, 63, 48)
  private static let substreamBits: UInt64 = .field(UInt64.max, 31, 12)

  /// The fields that a guest may set, by command; nil if it may not issue the command.
  private static func allowed(_ opcode: SMMUCommand.Opcode) -> (UInt64, UInt64)? {
    let range: UInt64 = .field(UInt64.max, 16, 12) | .field(UInt64.max, 24, 20)
    let address: UInt64 = 1 | .field(UInt64.max, 11, 8) | .field(UInt64.max, 63, 12)
    switch opcode {
    case .tlbiNSNHAll: return (opcodeBits, 0)
    case .tlbiNHAll: return (opcodeBits | vmidBits, 0)
    case .tlbiNHASID: return (opcodeBits | vmidBits | asidBits, 0)
    case .tlbiNHVA: return (opcodeBits | vmidBits | asidBits | range, address)
    case .tlbiNHVAA: return (opcodeBits | vmidBits | range, address)
    // CFGI_CD has a SubstreamID but no SSV.
    case .cfgiCD: return (opcodeBits | streamBits | substreamBits, 1)
    case .cfgiCDAll: return (opcodeBits | streamBits, 0)
    case .atcInvalidate:
      return (
        opcodeBits | streamBits | substreamBits | .field(true, 11) | .field(true, 9),
        .field(UInt64.max, 5, 0) | .field(UInt64.max, 63, 12)
      )
    default: return nil
    }
  }

  private func rewrite(_ dw0: UInt64, _ dw1: UInt64) throws(Refusal) -> (UInt64, UInt64) {
    guard let opcode = SMMUCommand.Opcode(rawValue: UInt8(dw0.bits(7, 0))),
      let allowed = Self.allowed(opcode)
    else { throw .command }
    guard dw0 & ~allowed.0 == 0, dw1 & ~allowed.1 == 0 else { throw .reservedBits }
    switch opcode {
    case .tlbiNSNHAll:
      // Everything of everybody, to a guest, is everything of its own.
      return SMMUCommand.tlbiNHAll(vmid: vmid).dwords
    case .tlbiNHVA, .tlbiNHVAA:
      try checkRange(dw0, dw1)
      return (dw0 & ~Self.vmidBits | .field(vmid, 47, 32), dw1)
    case .tlbiNHAll, .tlbiNHASID:
      return (dw0 & ~Self.vmidBits | .field(vmid, 47, 32), dw1)
    default:
      if opcode == .atcInvalidate && dw1.bits(5, 0) > 52 { throw .reservedRange }
      guard let physical = streams[UInt32(dw0.bits(63, 32))] else { throw .foreignStream }
      return (dw0 & ~Self.streamBits | .field(physical, 63, 32), dw1)
    }
  }

  private func checkRange(_ dw0: UInt64, _ dw1: UInt64) throws(Refusal) {
    let range = dw0.bits(16, 12) != 0 || dw0.bits(24, 20) != 0
    let (tg, ttl) = (dw1.bits(11, 10), dw1.bits(9, 8))
    if tg == 0 && (range || ttl != 0) { throw .reservedRange }
    if tg == 2 && ttl == 1 { throw .reservedRange }
    if tg != 0 && !range && ttl == 0 { throw .reservedRange }
  }
}

extension VirtualSMMU {
  /// Whose problem an event is.
  package enum Recipient: Hashable, Sendable {
    /// Forwarded, with the virtual StreamID.
    case guest(SMMUEventRecord)
    /// Stage 2 is the host's, and so is a stream that no guest has.
    case host
  }

  package func recipient(of record: SMMUEventRecord) -> Recipient {
    guard !record.stage2, let stream = streams.first(where: { $0.value == record.streamID }) else {
      return .host
    }
    var forwarded = record
    forwarded.streamID = stream.key
    return .guest(forwarded)
  }
}
