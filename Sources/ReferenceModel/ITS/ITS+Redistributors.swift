import EventModel

// LPI state: configuration and pending tables in memory, as the redistributors use them (IHI 0069,
// §5.1). There is no active state for LPIs: pending → acknowledged, which clears the pending bit.

extension ITS {
  /// A write by software to the redistributor of processor `number`, `offset` from RD_base.
  ///
  /// GICR_PROPBASER and GICR_PENDBASER are ignored while LPIs are enabled (UNPREDICTABLE).
  package mutating func writeRedistributor(
    _ number: UInt16, offset: UInt64, value: UInt64, sizeBytes: UInt32 = 8
  ) {
    guard number < configuration.peCount else { return }
    let n = Int(number)
    // 4-byte writes of a 64-bit register's half.
    func merged(_ old: UInt64) -> UInt64 {
      guard sizeBytes == 4 else { return value }
      return offset & 4 == 0
        ? (old & ~0xFFFF_FFFF) | (value & 0xFFFF_FFFF) : (old & 0xFFFF_FFFF) | value << 32
    }
    let isVirtual = configuration.version >= .v4
    switch offset & ~(sizeBytes == 4 ? 4 : 0) {
    case Redistributor.Register.ctlr where offset == 0: enableLPIs(value.bit(0), at: n)
    case Redistributor.Register.propbaser where !redistributors[n].lpisEnabled:
      redistributors[n].propbaser = merged(redistributors[n].propbaser)
    case Redistributor.Register.pendbaser where !redistributors[n].lpisEnabled:
      redistributors[n].pendbaser = merged(redistributors[n].pendbaser)
    case Redistributor.Register.setlpir: _ = try? makePending(UInt32(value & 0xFFFF_FFFF), at: n)
    case Redistributor.Register.clrlpir: clearPending(UInt32(value & 0xFFFF_FFFF), at: n)
    case Redistributor.Register.invlpir: invalidateByRegister(value, at: n)
    case Redistributor.Register.invallr: invalidateAllByRegister(value, at: n)
    case Redistributor.Register.vpropbaser where isVirtual:
      redistributors[n].vpropbaser = merged(redistributors[n].vpropbaser)
    case Redistributor.Register.vpendbaser where isVirtual:
      writeVPENDBASER(VirtualPendingBase(merged(redistributors[n].vpendbaser.value)), at: n)
    case Redistributor.Register.vsgir where configuration.version == .v41:
      redistributors[n].pendingSGIs = pendingSGIs(ofVPE: UInt16(value & 0xFFFF))
    default: break
    }
  }

  package mutating func readRedistributor(_ number: UInt16, offset: UInt64) -> UInt64 {
    guard number < configuration.peCount else { return 0 }
    let n = Int(number)
    switch offset {
    case Redistributor.Register.ctlr: return redistributors[n].lpisEnabled ? 1 : 0
    case Redistributor.Register.propbaser: return redistributors[n].propbaser
    case Redistributor.Register.pendbaser: return redistributors[n].pendbaser & ~.field(true, 62)
    case Redistributor.Register.vpropbaser: return redistributors[n].vpropbaser
    case Redistributor.Register.vpendbaser: return readVPENDBASER(at: n)
    case Redistributor.Register.vsgipendr: return UInt64(redistributors[n].pendingSGIs)
    default: return 0
    }
  }

  /// GICR_CTLR.EnableLPIs. Pending bits live in memory all the time, so nothing is loaded here or
  /// written back; PTZ promises that the pending table is zero, which the model makes true.
  private mutating func enableLPIs(_ enable: Bool, at n: Int) {
    let was = redistributors[n].lpisEnabled
    redistributors[n].lpisEnabled = enable
    if enable && !was {
      redistributors[n].configurationCache = [:]
      if redistributors[n].pendbaser.bit(62) {
        memory.clear(redistributors[n].pendingTable, sizeBytes: 1 << redistributors[n].idBits / 8)
      }
    }
    if was && !enable {
      cache.lpisDisabled()
      caches.lpisDisabled()
    }
  }

  // MARK: Configuration

  func configurationByte(at address: UInt64) -> LPIConfiguration {
    let byte = memory.loadByte(address)
    return byte == 0 && policy.lpisEnabledByDefault
      ? .linuxDefault : LPIConfiguration(byte: byte)
  }

  /// The configuration of a physical LPI as redistributor `n` knows it.
  package mutating func configuration(of intid: UInt32, at n: Int) -> LPIConfiguration {
    if let known = redistributors[n].configurationCache[intid] { return known }
    let table = redistributors[n].configurationTable
    let read = configurationByte(at: table + UInt64(intid - INTID.firstLPI.rawValue))
    redistributors[n].configurationCache[intid] = read
    return read
  }

  mutating func invalidate(_ intid: UInt32, at n: Int) {
    redistributors[n].configurationCache[intid] = nil
  }

  mutating func invalidateAll(at n: Int) { redistributors[n].configurationCache = [:] }

  mutating func invalidate(_ intid: UInt32, vpt: UInt64) {
    virtualConfigurations[vpt]?[intid] = nil
  }

  mutating func invalidateAll(vpt: UInt64) { virtualConfigurations[vpt] = nil }

  /// GICR_INVLPIR: INTID 31:0, vPEID 47:32, V 63 (IHI 0069, §12.11.20).
  private mutating func invalidateByRegister(_ value: UInt64, at n: Int) {
    guard value.bit(63) else { return invalidate(UInt32(value & 0xFFFF_FFFF), at: n) }
    guard let vPE = mappedVPE(UInt16(value.bits(47, 32))) else { return }
    invalidate(UInt32(value & 0xFFFF_FFFF), vpt: vPE.vptAddress)
  }

  private mutating func invalidateAllByRegister(_ value: UInt64, at n: Int) {
    guard value.bit(63) else { return invalidateAll(at: n) }
    guard let vPE = mappedVPE(UInt16(value.bits(47, 32))) else { return }
    invalidateAll(vpt: vPE.vptAddress)
  }

  // MARK: Pending bits

  /// - Returns: delivered, coalesced (it was pending already) or masked (pending, but disabled).
  mutating func makePending(_ intid: UInt32, at n: Int) throws(Condition) -> OutcomeClass {
    guard redistributors[n].lpisEnabled else { throw .lpisDisabled }
    guard redistributors[n].supports(intid) else { throw .intidOutOfRange }
    let was = memory.storeBit(true, intid, base: redistributors[n].pendingTable)
    if was { return .coalesced }
    counters.pendingBitsSet += 1
    return configuration(of: intid, at: n).isEnabled ? .delivered : .masked
  }

  /// - Returns: whether it was pending.
  @discardableResult
  mutating func clearPending(_ intid: UInt32, at n: Int) -> Bool {
    guard redistributors[n].supports(intid) else { return false }
    return memory.storeBit(false, intid, base: redistributors[n].pendingTable)
  }

  /// Every pending LPI of redistributor `n`, ascending.
  package func pendingLPIs(at n: Int) -> [UInt32] {
    pendingINTIDs(in: redistributors[n].pendingTable, idBits: redistributors[n].idBits)
  }

  func pendingINTIDs(in table: UInt64, idBits: UInt64) -> [UInt32] {
    let first = table + UInt64(INTID.firstLPI.rawValue) / 8
    let end = table + (1 << idBits) / 8
    guard first < end else { return [] }
    return memory.populated(first..<end).flatMap { address, byte in
      (0..<8).filter { byte >> UInt8($0) & 1 == 1 }.map { UInt32(address - table) * 8 + UInt32($0) }
    }
  }
}
