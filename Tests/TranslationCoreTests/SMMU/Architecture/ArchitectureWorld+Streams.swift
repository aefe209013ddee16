import EventModel
import ReferenceModel
import TestSupport
import TranslationCore

/// Stream table entries and context descriptors: most of them right, some not.
extension ArchitectureWorld {
  mutating func addStream() {
    let id = UInt32(random.next() & ((1 << UInt64(registers.log2Size)) - 1))
    if streams.contains(where: { $0.id == id }) { return }
    var stream = Stream(id: id, group: below(groups.count), ste: StreamTableEntry())
    chooseEntry(&stream)
    let bits = stream.ste.s1CDMax
    let members = groups[stream.group].spaces
    stream.contexts[0] = pick(members)
    for _ in 0..<(bits == 0 ? 0 : 4) {
      stream.contexts[UInt32(random.next() & ((1 << UInt64(bits)) - 1))] = pick(members)
    }
    streams.append(stream)
    storeContexts(streams.count - 1)
    storeEntry(streams.count - 1)
  }

  /// Everything of an STE that may change without a new table.
  private mutating func chooseEntry(_ stream: inout Stream) {
    let group = groups[stream.group]
    if let machine = group.machine { stream.ste = machines[machine].ste }
    stream.ste.s2VMID = group.vmid
    chooseConfig(&stream)
    stream.ste.strw = group.world == .nsEL1 ? 0 : 2
    stream.ste.s1CDMax = pick([0, 0, 0, 1, 3, 7, 11])
    stream.ste.s1Fmt = pick([0, 1, 2])
    stream.ste.s1DSS = pick([0, 1, 2, 2, 2])
    stream.ste.eats = chance(20) ? pick([1, 1, 2]) : 0
    stream.ste.s1STALLD = reference.identification.stallModelSelectable && chance(10)
    stream.ste.s1ContextPtr = makeContextTable(stream, group.machine)
  }

  mutating func chooseConfig(_ stream: inout Stream) {
    let machine = groups[stream.group].machine
    let usual = machine == nil ? StreamTableEntry.stage1 : StreamTableEntry.nested
    stream.ste.config = chance(75) ? usual : pick([0, 2, 4, machine == nil ? 5 : 6])
  }

  private var leafContexts: (UInt8) -> UInt64 { { $0 == 1 ? 64 : 1024 } }

  private mutating func makeContextTable(_ stream: Stream, _ machine: Int?) -> UInt64 {
    let count = UInt64(1) << UInt64(stream.ste.s1CDMax)
    let isFlat = stream.ste.s1CDMax == 0 || stream.ste.s1Fmt == 0
    let per = leafContexts(stream.ste.s1Fmt)
    let size = isFlat ? count * 64 : max((count + per - 1) / per * 8, 64)
    let table = allocate(size, alignment: size)!
    if let machine { back(table, size, machine) }
    return address(table, machine)
  }

  mutating func storeContexts(_ stream: Int) {
    for (index, space) in streams[stream].contexts.sorted(by: { $0.key < $1.key }) {
      storeContext(spaces[space].cd, index, streams[stream])
    }
  }

  /// Stores a CD, sometimes one that the SMMU refuses.
  private mutating func storeContext(
    _ right: ContextDescriptor, _ index: UInt32, _ stream: Stream
  ) {
    var cd = right
    if chance(4) {
      switch below(6) {
      case 0: cd.v = false
      case 1: cd.aa64 = false
      case 2: cd.endi = true
      case 3: cd.t0SZ = pick([0, 11, 40, 63])
      case 4: cd.tg0 = 3
      // Beyond an output of 32 bits, like memory itself.
      default: (cd.ips, cd.ttb0) = (0, 0xF_FFFF_FFFF_F000)
      }
    }
    let machine = groups[stream.group].machine
    var address = stream.ste.s1ContextPtr + UInt64(index) * 64
    if stream.ste.s1CDMax != 0, stream.ste.s1Fmt != 0 {
      let per = leafContexts(stream.ste.s1Fmt)
      let place = physical(stream.ste.s1ContextPtr + UInt64(index) / per * 8, machine)
      var descriptor = ContextTableLevel1Descriptor(load(place))
      if !descriptor.v {
        guard let leaf = allocate(per * 64, alignment: per * 64) else { return }
        if let machine { back(leaf, per * 64, machine) }
        descriptor = ContextTableLevel1Descriptor(v: true, l2Ptr: self.address(leaf, machine))
        store(descriptor.dword, at: place)
      }
      address = descriptor.l2Ptr + UInt64(index) % per * 64
    }
    for (word, value) in cd.dwords.enumerated() {
      store(value, at: physical(address, machine) + UInt64(word) * 8)
    }
  }

  /// Stores an STE, sometimes one that the SMMU refuses.
  mutating func storeEntry(_ index: Int) {
    var ste = streams[index].ste
    if chance(5) {
      switch below(7) {
      case 0: ste.v = false
      case 5: ste.s1ContextPtr = base - 0x1_0000
      case 1: ste.eats = 2
      case 2: ste.s1CDMax = 31
      case 3: ste.s2AA64.toggle()
      case 4: ste.s2SL0 = 3
      default: ste.strw = 1
      }
    }
    guard let place = placeOfEntry(streams[index].id) else { return }
    for (word, value) in ste.dwords.enumerated() {
      store(value, at: place + UInt64(word) * 8)
    }
  }

  private mutating func placeOfEntry(_ streamID: UInt32) -> UInt64? {
    let base = registers.streamTableBase
    guard registers.isTwoLevel, registers.log2Size > registers.split else {
      return base + UInt64(streamID) * 64
    }
    let split = UInt64(registers.split)
    let place = base + (UInt64(streamID) >> split) * 8
    var descriptor = StreamTableLevel1Descriptor(load(place))
    if descriptor.span == 0 {
      // Now and then a table that does not reach to the end, or a Span beyond SPLIT + 1.
      let span = chance(80) ? registers.split + 1 : UInt8(1 + below(Int(registers.split) + 2))
      let bytes = UInt64(64) << split
      guard let table = allocate(bytes, alignment: bytes) else { return nil }
      descriptor = StreamTableLevel1Descriptor(span: span, l2Ptr: chance(12) ? base - 64 : table)
      store(descriptor.dword, at: place)
    }
    let entry = descriptor.l2Ptr + (UInt64(streamID) & ((1 << split) - 1)) * 64
    return isMemory(entry) ? entry : nil
  }
}
