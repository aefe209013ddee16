import EventModel
import ReferenceModel
import Testing
import TranslationCore

/// Whole small worlds: every permission of both stages under every access, and every way from a
/// SubstreamID to a context, by the core and by the reference over the same words.
@Suite struct SMMUExhaustiveTests {
  /// A reference with the words of a machine.
  private func twin(_ machine: borrowing RawMachine) -> SMMU {
    var identification = SMMU.Identification(RawMachine.geometry)
    identification.outputAddressBits = 48
    var reference = SMMU(identification, caches: .none)
    let memory = machine.core.memory
    for address in stride(from: memory.lowerBound, to: memory.upperBound, by: 8) {
      let word = machine.core.load(physical: address)!
      if word != 0 { reference.memory.store(word, at: address) }
    }
    reference.memory.inaccessible = [0..<memory.lowerBound, memory.upperBound..<(1 << 53)]
    reference.registers.isEnabled = true
    reference.registers.log2Size = 8
    reference.registers.streamTableBase = machine.registers.streamTableBase
    return reference
  }

  private func store(
    _ words: [UInt64], at physical: UInt64, _ machine: inout RawMachine, _ reference: inout SMMU
  ) {
    machine.store(words, at: physical)
    for (index, word) in words.enumerated() {
      reference.memory.store(word, at: physical + UInt64(index) * 8)
    }
  }

  private func isSame(_ given: SMMUAnswer, _ expected: SMMUResult) -> Bool {
    switch expected.outcome {
    case .aborted: return given.translation.fault == SMMUEvent.aborted
    case .translated(let translation):
      return given.translation == .init(address: translation.address)
        && given.readable == translation.readable && given.writable == translation.writable
        && given.log2SizeBytes == translation.log2SizeBytes
    case .fault(let fault):
      let event = given.event
      return [event.dword0, event.dword1, event.dword2, event.dword3] == fault.record.dwords
    }
  }

  /// AP, PXN, UXN, AF, DBM and the table's limits × S2AP, XN, AF, DBM × updates on and off × write,
  /// privilege, instruction: each twice, so that the second may hit.
  @Test(arguments: [0, 1, 2, 3] as [UInt8])
  func everyPermissionUnderEveryAccess(_ updates: UInt8) {
    var machine = RawMachine(.of(2), .of(2)) { $0.walkCacheEntries = 0 }
    machine.ste.s2HA = updates & 1 != 0
    machine.ste.s2HD = updates & 1 != 0
    machine.cd.ha = updates & 2 != 0
    machine.cd.hd = updates & 2 != 0
    machine.commit()
    let base = RawMachine.base
    machine.store(machine.cd.dwords, at: base + machine.ste.s1ContextPtr)
    // The page is named by the last-level tables that the machine made for it.
    let table1 = base + machine.core.load(physical: base + machine.cd.ttb0)! & 0xFFFF_F000
    let table2 = machine.core.load(physical: machine.ste.s2TTB + 3 * 8)! & 0xFFFF_F000
    var reference = twin(machine)
    var (faults, answers) = (0, 0)
    for limits in [0, 1, 2, 4, 8] as [UInt64] {
      let upper = machine.core.load(physical: base + machine.cd.ttb0)! & ~(0xF << 59)
      store([upper | limits << 59], at: base + machine.cd.ttb0, &machine, &reference)
      for leaf1 in 0..<64 as Range<UInt64> {
        let attributes1 = (leaf1 & 3) << 6 | (leaf1 >> 2 & 3) << 53 | (leaf1 >> 4 & 1) << 10
        let word1 = 0x60_0000 | attributes1 | (leaf1 >> 5 & 1) << 51 | 0xB07
        for leaf2 in 0..<32 as Range<UInt64> {
          let attributes2 = (leaf2 & 3) << 6 | (leaf2 >> 2 & 1) << 54 | (leaf2 >> 3 & 1) << 10
          let word2 = 0x9_0000_0000 | attributes2 | (leaf2 >> 4 & 1) << 51 | 0x33F
          // Rarely both are anything but plain; every pair of plain ones is here.
          if limits != 0, leaf1 & 0x3C != 0x10 || leaf2 & 0x1C != 8 { continue }
          for access in 0..<6 {
            store(
              [word1 & ~0x400 | attributes1 & 0x400], at: table1 + 0x12 * 8, &machine, &reference)
            store([word2], at: table2, &machine, &reference)
            machine.core.command(0x30, 0)
            for _ in 0..<2 {
              let request = SMMUAccess(
                write: access % 3 == 1, privileged: access >= 3, instruction: access % 3 == 2)
              let expected = reference.translate(
                streamID: RawMachine.streamID, address: RawMachine.address, access: request)
              let given = machine.core.translate(
                SMMURequest(
                  streamID: RawMachine.streamID, address: RawMachine.address,
                  write: request.write, privileged: request.privileged,
                  instruction: request.instruction))
              guard isSame(given, expected) else {
                let place = "limits \(limits), leaves \(hex(word1)) \(hex(word2)), \(request)"
                Issue.record("\(place): \(given), reference \(expected.outcome)")
                return
              }
              if expected.fault == nil { answers += 1 } else { faults += 1 }
            }
            let updated =
              machine.core.load(physical: table1 + 0x12 * 8)
              == reference.memory.load(at: table1 + 0x12 * 8)
              && machine.core.load(physical: table2) == reference.memory.load(at: table2)
            if !updated {
              Issue.record("leaves \(hex(word1)) \(hex(word2)): updated otherwise")
              return
            }
          }
        }
      }
    }
    #expect(faults > 1000 && answers > 1000)
  }

  /// Config × S1CDMax × S1Fmt × S1DSS × SubstreamID, with a CD in every second place.
  @Test func everyWayToAContext() {
    var machine = RawMachine(.of(2), .of(2))
    let contexts = machine.take(0x1000)
    for index in stride(from: 0, to: 8, by: 2) as StrideTo<UInt64> {
      machine.store(machine.cd.dwords, at: contexts + index * 64)
    }
    let leaves = machine.take(0x1000)
    machine.store([machine.seen(contexts) | 1], at: leaves)
    var reference = twin(machine)
    var events: Set<UInt8> = []
    let place = machine.registers.streamTableBase + UInt64(RawMachine.streamID) * 64
    for config in 0..<8 as Range<UInt8> {
      for bits in [0, 1, 3, 7] as [UInt8] {
        for format in 0..<4 as Range<UInt8> {
          for choice in 0..<4 as Range<UInt8> {
            machine.ste.config = config
            machine.ste.s1CDMax = bits
            machine.ste.s1Fmt = format
            machine.ste.s1DSS = choice
            let isTwoLevel = bits != 0 && (format == 1 || format == 2)
            let table = isTwoLevel ? leaves : contexts
            machine.ste.s1ContextPtr = config == 5 ? table : machine.seen(table)
            store(machine.ste.dwords, at: place, &machine, &reference)
            machine.core.command(0x0000_0005_0000_0003, 0)
            for substreamID in [nil, 0, 1, 2, 7, 8, 64, 127, 128] as [UInt32?] {
              let expected = reference.translate(
                streamID: RawMachine.streamID, substreamID: substreamID,
                address: RawMachine.address, access: .read)
              let given = machine.access(substreamID: substreamID)
              guard isSame(given, expected) else {
                let place = "config \(config), S1CDMax \(bits), S1Fmt \(format), S1DSS \(choice)"
                let substream = String(describing: substreamID)
                Issue.record(
                  "\(place), \(substream): \(given), reference \(expected.outcome)")
                return
              }
              events.insert(given.translation.fault)
            }
          }
        }
      }
    }
    #expect(events.isSuperset(of: [0, 0x06, 0x08, 0x0A, SMMUEvent.aborted]))
  }
}
