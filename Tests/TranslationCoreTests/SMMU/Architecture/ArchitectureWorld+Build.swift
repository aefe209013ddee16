import EventModel
import ReferenceModel
import TestSupport
import TranslationCore

/// Random machines, address spaces and streams, and the structures that describe them.
extension ArchitectureWorld {
  mutating func build() {
    registers.isEnabled = true
    registers.e2h = chance(60)
    registers.checksATSTranslated = chance(80)
    registers.recordsInvalidStreamIDs = chance(80)
    registers.abortsWhenDisabled = chance(50)
    registers.log2Size = pick([6, 8, 10])
    registers.split = pick([3, 5, 8])
    registers.isTwoLevel = chance(60)
    let bytes: UInt64 =
      registers.isTwoLevel && registers.log2Size > registers.split
      ? max(8 << UInt64(registers.log2Size - registers.split), 64)
      : 64 << UInt64(registers.log2Size)
    registers.streamTableBase = allocate(bytes, alignment: bytes)!
    program()

    for vmid in [10, 11] as [UInt16] { addMachine(vmid) }
    groups = [
      Group(world: .nsEL1, vmid: 0), Group(world: .nsEL1, vmid: 1),
      Group(world: registers.e2h ? .el2E2H : .el2, vmid: 0),
    ]
    for machine in machines.indices {
      groups.append(Group(world: .nsEL1, vmid: machines[machine].ste.s2VMID, machine: machine))
    }
    for group in groups.indices {
      // EL2 alone has no ASIDs, so there is room for one space.
      for number in 0..<(groups[group].world == .el2 ? 1 : 2) {
        addSpace(group, UInt16(number + 1))
      }
    }
    for _ in 0..<12 { addStream() }
    for space in spaces.indices {
      for _ in 0..<10 { mapStage1(space) }
    }
  }

  mutating func program() {
    core.program(registers)
    reference.registers.isEnabled = registers.isEnabled
    reference.registers.e2h = registers.e2h
    reference.registers.checksATSTranslated = registers.checksATSTranslated
    reference.registers.recordsInvalidStreamIDs = registers.recordsInvalidStreamIDs
    reference.registers.abortsWhenDisabled = registers.abortsWhenDisabled
    reference.registers.streamTableBase = registers.streamTableBase
    reference.registers.log2Size = registers.log2Size
    reference.registers.split = registers.split
    reference.registers.format = registers.isTwoLevel ? .twoLevel : .linear
  }

  // MARK: Stage 2

  private mutating func addMachine(_ vmid: UInt16) {
    var ste = StreamTableEntry(config: StreamTableEntry.nested)
    var shape: WalkGeometry?
    repeat {
      ste.s2T0SZ = UInt8(12 + below(28))
      ste.s2TG = base >> 48 != 0 ? 1 : pick([0, 0, 1, 2])
      ste.s2SL0 = UInt8(below(3))
      ste.s2PS = pick([3, 5, 6, 6])
      shape = WalkGeometry(stage2: ste, reference.identification)
      // Memory itself has to fit the output.
      if let found = shape, (base + Self.memoryBytes) >> found.outputBits != 0 { shape = nil }
    } while shape == nil
    let geometry = shape!
    ste.s2VMID = vmid
    ste.s2AA64 = true
    ste.s2R = chance(90)
    ste.s2PTW = chance(50)
    ste.s2AFFD = chance(10)
    ste.s2HA = reference.identification.updatesAccessFlag && chance(50)
    ste.s2HD = ste.s2HA && reference.identification.updatesDirtyState && chance(60)
    ste.s2S = reference.identification.stallModelSelectable && chance(10)
    let size = max(geometry.rootSizeBytes, 64)
    ste.s2TTB = allocate(size, alignment: size)!
    // Blocks of up to 1 GiB keep their alignment.
    let slots = geometry.inputBits > 30 ? UInt64(1) << min(geometry.inputBits - 30, 20) : 1
    machines.append(
      Machine(ste: ste, geometry: geometry, ipaBase: (random.next() % slots) << 30))
    let machine = machines.count - 1
    for _ in 0..<24 { mapStage2Somewhere(machine) }
  }

  /// A leaf that a guest's outputs may meet.
  mutating func mapStage2Somewhere(_ machine: Int) {
    let geometry = machines[machine].geometry
    let level = pick([3, 3, 3, 2, 1])
    guard level >= geometry.startLevel, level == 3 || geometry.allowsBlock(level) else { return }
    let limit: UInt64 = 1 << geometry.inputBits
    let near = machines[machine].ipaBase + random.next() % Self.memoryBytes
    let ipa = (chance(50) ? random.next() : near ^ (random.next() & 0x300_0000)) & (limit - 1)
    var attributes: UInt64 = 0x700 & ~(chance(10) ? 0x400 : 0)
    attributes |= pick([0xF, 0xF, 0xF, 5, 1]) << 2
    attributes |= pick([3, 3, 3, 1, 2, 0]) << 6
    if chance(15) { attributes |= 1 << 54 }
    if chance(30) { attributes |= 1 << 51 }
    let output = random.next() & ((1 << geometry.outputBits) - 1)
    addStage2(
      machine, ipa, chance(5) ? random.next() & ((1 << 52) - 1) : output, level, attributes)
  }

  /// Makes sure that a table of a guest is in its stage 2.
  mutating func back(_ physical: UInt64, _ bytes: UInt64, _ machine: Int) {
    let geometry = machines[machine].geometry
    let page = UInt64(1) << geometry.shift(3)
    var address = physical & ~(page - 1)
    while address < physical + bytes {
      let ipa = address - base + machines[machine].ipaBase
      var attributes: UInt64 = 0x7FC
      if chance(3) { attributes = pick([0x77C, 0x3FC, 0x7C4, 0x7BC | 1 << 51]) }
      addStage2(machine, ipa, address, 3, attributes)
      address += page
    }
  }

  /// Stores a leaf, or a whole contiguous run, unless something is there.
  private mutating func addStage2(
    _ machine: Int, _ ipa: UInt64, _ output: UInt64, _ level: Int, _ attributes: UInt64
  ) {
    let geometry = machines[machine].geometry
    let root = geometry.rootAddress(machines[machine].ste.s2TTB)
    var log2 = geometry.shift(level)
    var attributes = attributes
    if level == 3, attributes.bit(10), !attributes.bit(51), chance(10) {
      attributes |= 1 << 52
      log2 = min(log2 + geometry.contiguousLog2(level), geometry.inputBits)
    }
    let first = ipa & ~((1 << log2) - 1)
    // Memory is behind every IPA of its own window, and nothing else is.
    let isWindow = first &- machines[machine].ipaBase < Self.memoryBytes
    var target = output & ~((1 << log2) - 1)
    if isWindow {
      if first - machines[machine].ipaBase + 1 << log2 > Self.memoryBytes { return }
      target = first - machines[machine].ipaBase + base
      // A block of it holds many tables: they had better be readable.
      if level < 3 { attributes = 0x7FC }
    }
    guard
      storeRun(
        root, geometry, first, target, level, log2, attributes, machine: nil)
    else { return }
    machines[machine].leaves.append(Leaf(input: first, level: level, log2: log2))
  }

  // MARK: Stage 1

  private mutating func addSpace(_ group: Int, _ asid: UInt16) {
    let machine = groups[group].machine
    var cd = ContextDescriptor()
    var shape: WalkGeometry?
    repeat {
      cd.t0SZ = UInt8(12 + below(28))
      cd.tg0 = base >> 48 != 0 && machine == nil ? 1 : pick([0, 0, 1, 2])
      cd.ips = pick([3, 5, 6, 6])
      shape = WalkGeometry(stage1: cd, reference.identification)
      let top = machine.map { machines[$0].ipaBase } ?? base
      if let found = shape, (top + Self.memoryBytes) >> found.outputBits != 0 { shape = nil }
    } while shape == nil
    let geometry = shape!
    cd.asid = asid
    cd.ha = reference.identification.updatesAccessFlag && chance(40)
    cd.hd = cd.ha && reference.identification.updatesDirtyState && chance(70)
    cd.affd = chance(10)
    cd.tbi0 = chance(20)
    cd.had0 = chance(20)
    cd.epd0 = chance(4)
    cd.r = chance(90)
    cd.a = chance(80)
    cd.s = reference.identification.stallModelSelectable && chance(12)
    let size = max(geometry.rootSizeBytes, 64)
    let root = allocate(size, alignment: size)!
    if let machine { back(root, size, machine) }
    cd.ttb0 = address(root, machine)
    groups[group].spaces.append(spaces.count)
    spaces.append(
      Space(
        group: group, cd: cd, geometry: geometry,
        mark: UInt64(asid & 1) << Self.markBit))
  }

  mutating func input(_ space: Int) -> UInt64 {
    let bits = spaces[space].geometry.inputBits
    let low: UInt64 = chance(40) ? random.next() & 0x3FFF_FFFF : random.next() & 0x3F_FFFF
    let far: UInt64 = chance(20) ? random.next() : 0
    return (low ^ far) & ((1 << bits) - 1) & ~(1 << Self.markBit) | spaces[space].mark
  }

  mutating func mapStage1(_ space: Int) {
    let geometry = spaces[space].geometry
    let machine = groups[spaces[space].group].machine
    let level = pick([3, 3, 3, 3, 2, 2, 1])
    guard level >= geometry.startLevel, level == 3 || geometry.allowsBlock(level) else { return }
    var attributes: UInt64 = 0xF44
    if chance(20) { attributes &= ~0x400 }
    if chance(20) { attributes &= ~0x40 }
    if chance(35) { attributes |= 0x80 }
    if chance(40) { attributes |= 1 << 51 }
    attributes |= pick([0, 0, 0, 1, 2, 3]) << 53
    var log2 = geometry.shift(level)
    let run = log2 + geometry.contiguousLog2(level)
    if attributes.bit(10), !attributes.bit(51), run < geometry.inputBits, chance(25) {
      attributes |= 1 << 52
      log2 = run
    }
    // A larger leaf reaches into the inputs of the other space.
    if log2 <= Self.markBit, chance(25) { attributes &= ~0x800 }
    let mask = ~((1 << log2) - 1) as UInt64
    let first = input(space) & mask
    let output = outputAddress(geometry, machine) & mask
    guard
      storeRun(
        root(space), geometry, first, output, level, log2, attributes, machine: machine)
    else { return }
    spaces[space].leaves.append(
      Leaf(input: first, level: level, log2: log2, isGlobal: !attributes.bit(11)))
  }

  private mutating func outputAddress(_ geometry: WalkGeometry, _ machine: Int?) -> UInt64 {
    if let machine, chance(80), let leaf = machines[machine].leaves.randomElement(using: &random) {
      return leaf.input + random.next() % (1 << leaf.log2)
    }
    return random.next() & ((1 << (chance(90) ? geometry.outputBits : 52)) - 1)
  }
}
