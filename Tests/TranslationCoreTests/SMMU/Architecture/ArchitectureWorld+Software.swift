import EventModel
import ReferenceModel
import TestSupport
import TranslationCore

/// What software changes, and the invalidations that the architecture asks of it.
extension ArchitectureWorld {
  mutating func change() {
    switch below(16) {
    case 0..<4: unmapStage1(below(spaces.count))
    case 4..<8: mapStage1(below(spaces.count))
    case 8: changeMachine(below(machines.count))
    case 9: mapStage2Somewhere(below(machines.count))
    case 10: changeContext(below(spaces.count))
    case 11: changeEntry(below(streams.count))
    case 12: toggleRegisters()
    case 13: resumeSomething()
    case 14: issueAnything()
    default: invalidateMore()
    }
  }

  // MARK: Commands

  mutating func command(_ command: SMMUCommand) {
    let (dword0, dword1) = command.dwords
    issue(dword0, dword1)
  }

  /// Gives both the same command; one refuses it if and only if the other does.
  mutating func issue(_ dword0: UInt64, _ dword1: UInt64) {
    let before = core.refusals.illegalCommand
    core.command(dword0, dword1)
    var isIllegal = false
    do throws(SMMUCommandError) {
      try reference.command(dword0, dword1)
    } catch {
      isIllegal = true
    }
    if (core.refusals.illegalCommand != before) != isIllegal {
      commandDifference = "command \(hex(dword0)) \(hex(dword1)): reference refuses \(isIllegal)"
    }
  }

  /// A group's stage 1, all of it.
  private mutating func invalidateAll(_ group: Int) {
    let group = groups[group]
    if group.world != .nsEL1 {
      command(.tlbiEL2All)
      return
    }
    command(
      pick([
        .tlbiNHAll(vmid: group.vmid), .tlbiS12VMAll(vmid: group.vmid), .tlbiNSNHAll,
      ]))
  }

  /// One leaf of a space, by any command that reaches it.
  private mutating func invalidate(_ leaf: Leaf, _ space: Int) {
    let group = groups[spaces[space].group]
    let isEL2 = group.world != .nsEL1
    let asid = spaces[space].cd.asid
    let address = (leaf.input + random.next() % (1 << leaf.log2)) & ~0xFFF
    var range = TLBIRange(address, leaf: chance(70))
    if chance(50), reference.identification.rangeInvalidation {
      // By granule: the whole leaf in range, its level or none named.
      let tg = spaces[space].geometry.granule.rawValue
      let page = spaces[space].geometry.granule.log2
      let shift = max(leaf.log2, page + 1) - page
      range = TLBIRange(
        leaf.input, leaf: chance(70), tg: tg, ttl: chance(50) ? UInt8(leaf.level) : 0,
        num: shift > 5 ? 31 : UInt8((1 << shift) - 1), scale: shift > 5 ? UInt8(shift) - 5 : 0)
    }
    let byASID = leaf.isGlobal || chance(80)
    if isEL2 {
      command(
        byASID ? pick([.tlbiEL2VA(asid: asid, range), .tlbiEL2VAA(range)]) : .tlbiEL2All)
    } else {
      command(
        byASID
          ? pick([
            .tlbiNHVA(vmid: group.vmid, asid: asid, range), .tlbiNHVAA(vmid: group.vmid, range),
          ]) : .tlbiNHASID(vmid: group.vmid, asid: asid))
    }
  }

  // MARK: Changes

  private mutating func unmapStage1(_ space: Int) {
    guard !spaces[space].leaves.isEmpty else { return }
    let leaf = spaces[space].leaves.remove(at: below(spaces[space].leaves.count))
    let geometry = spaces[space].geometry
    let machine = groups[spaces[space].group].machine
    for offset in stride(
      from: 0, to: UInt64(1) << leaf.log2, by: 1 << geometry.shift(leaf.level))
    {
      let place = place(root(space), geometry, leaf.input + offset, leaf.level, machine)
      store(0, at: place!)
    }
    invalidate(leaf, space)
    spaces[space].holes.append(leaf.input)
    if spaces[space].holes.count > 8 { spaces[space].holes.removeFirst() }
  }

  /// The host takes a page away, or gives it other attributes: first stage 2, then what combined it.
  private mutating func changeMachine(_ machine: Int) {
    guard !machines[machine].leaves.isEmpty else { return }
    let index = below(machines[machine].leaves.count)
    let leaf = machines[machine].leaves[index]
    let geometry = machines[machine].geometry
    let isWindow = leaf.input &- machines[machine].ipaBase < Self.memoryBytes
    let root = geometry.rootAddress(machines[machine].ste.s2TTB)
    let flip: UInt64 = pick([1 << 6, 1 << 7, 1 << 54])
    if isWindow, !chance(20) { return }
    for offset in stride(
      from: 0, to: UInt64(1) << leaf.log2, by: 1 << geometry.shift(leaf.level))
    {
      let place = place(root, geometry, leaf.input + offset, leaf.level, nil)!
      // Break before make; nobody looks in between.
      store(isWindow ? load(place) ^ flip : 0, at: place)
    }
    if !isWindow { machines[machine].leaves.remove(at: index) }
    let vmid = machines[machine].ste.s2VMID
    let address = (leaf.input + random.next() % (1 << leaf.log2)) & ~0xFFF
    command(.tlbiS2IPA(vmid: vmid, TLBIRange(address, leaf: chance(50))))
    command(chance(80) ? .tlbiNHAll(vmid: vmid) : .tlbiS12VMAll(vmid: vmid))
    // A CD may have been found through the page.
    if isWindow { command(.cfgiAll) }
  }

  /// New flags of a CD, for every stream that has it.
  private mutating func changeContext(_ space: Int) {
    spaces[space].cd.r = chance(90)
    spaces[space].cd.a = chance(80)
    spaces[space].cd.tbi0 = chance(20)
    spaces[space].cd.had0 = chance(20)
    if reference.identification.updatesAccessFlag { spaces[space].cd.ha.toggle() }
    if !spaces[space].cd.ha { spaces[space].cd.hd = false }
    for stream in streams.indices {
      for index in streams[stream].contexts.keys.sorted()
      where streams[stream].contexts[index] == space {
        storeContexts(stream)
        let id = streams[stream].id
        let range = UInt8(below(12))
        command(
          pick([
            .cfgiCDAll(streamID: id), .cfgiSTE(streamID: id, leaf: true), .cfgiAll,
            .cfgiSTERange(streamID: id, range: range),
          ]))
        break
      }
    }
    invalidateAll(spaces[space].group)
  }

  private mutating func changeEntry(_ stream: Int) {
    let id = streams[stream].id
    if chance(30) {
      // One CD only, by its index.
      storeContexts(stream)
      for index in streams[stream].contexts.keys.sorted() {
        command(.cfgiCD(streamID: id, substreamID: index, leaf: true))
      }
      return
    }
    var changed = streams[stream]
    chooseConfig(&changed)
    changed.ste.s1DSS = pick([0, 1, 2, 2, 2])
    changed.ste.eats = chance(20) ? pick([1, 1, 2]) : 0
    streams[stream] = changed
    storeEntry(stream)
    let isLeaf = chance(50)
    let range = UInt8(below(31))
    command(
      pick([
        .cfgiSTE(streamID: id, leaf: isLeaf), .cfgiAll, .cfgiSTERange(streamID: id, range: range),
      ]))
  }

  private mutating func toggleRegisters() {
    registers.isEnabled = chance(80)
    registers.abortsWhenDisabled = chance(50)
    registers.checksATSTranslated = chance(80)
    registers.recordsInvalidStreamIDs = chance(80)
    program()
  }

  private mutating func resumeSomething() {
    let id = streams[below(streams.count)].id
    if chance(20) {
      command(.stallTerminate(streamID: id))
      return
    }
    let stag = UInt16(below(6))
    let waiting = reference.stalls.waiting[stag]
    command(
      .resume(
        streamID: waiting?.streamID ?? id, stag: stag,
        response: pick([.terminate, .retry, .abort])))
  }

  /// Commands without a visible effect, and words that are no command.
  private mutating func issueAnything() {
    let id = streams[below(streams.count)].id
    switch below(6) {
    case 0: command(.sync(CommandSync(.interrupt, data: 1, address: 0x1000)))
    case 1: command(.prefetchConfig(streamID: id, substreamID: nil))
    case 2:
      command(
        .atcInvalidate(
          streamID: id, substreamID: 3, global: false, address: 0, log2Pages: UInt8(below(53))))
    case 3:
      command(.priResponse(streamID: id, substreamID: 1, group: 3, response: .success))
    case 4: issue(random.next() & 0x3FFF, random.next())
    default: issue(UInt64(pick([0x12, 0x46, 0x44, 0x03, 0x41])) | 0x3400, 0x3400)
    }
  }

  /// More than is needed is always allowed.
  private mutating func invalidateMore() {
    let group = below(groups.count)
    if chance(50) {
      invalidateAll(group)
    } else if let space = groups[group].spaces.first {
      invalidate(Leaf(input: input(space), level: 3, log2: 12), space)
    }
  }
}

func hex(_ value: UInt64) -> String { "0x\(String(value, radix: 16))" }
