import EventModel
import ReferenceModel
import TestSupport
import Testing

/// Every short program in a world of two devices × two events × two LPIs, against invariants that a
/// few dictionaries can state.
@Suite struct ITSSmallWorldTests {
  /// What the tables must say, told by a model of three dictionaries.
  private struct Shadow: Equatable {
    struct Key: Hashable {
      var device: UInt32
      var event: UInt32
    }
    struct Entry: Equatable {
      var intid: UInt32
      var icid: UInt16
    }
    var devices: Set<UInt32> = []
    var collections: [UInt16: UInt16] = [:]
    var events: [Key: Entry] = [:]
    /// (PE, INTID)
    var pending: Set<[UInt32]> = []

    mutating func execute(_ command: ITSCommand) {
      switch command {
      case .mapd(let id, _, _, let valid):
        events = events.filter { $0.key.device != id.rawValue }
        if valid { devices.insert(id.rawValue) } else { devices.remove(id.rawValue) }
      case .mapc(let icid, let rdBase, let valid):
        collections[icid] = valid ? UInt16(rdBase) : nil
      case .mapti(let id, let event, let intid, let icid):
        guard devices.contains(id.rawValue) else { return }
        events[Key(device: id.rawValue, event: event.rawValue)] =
          Entry(intid: intid.rawValue, icid: icid)
      case .movi(let id, let event, let icid):
        let key = Key(device: id.rawValue, event: event.rawValue)
        guard var entry = events[key], let from = collections[entry.icid],
          let to = collections[icid]
        else { return }
        entry.icid = icid
        events[key] = entry
        if pending.remove([UInt32(from), entry.intid]) != nil {
          pending.insert([UInt32(to), entry.intid])
        }
      case .movall(let from, let to):
        for bit in pending where bit[0] == UInt32(from) {
          pending.remove(bit)
          pending.insert([UInt32(to), bit[1]])
        }
      case .discard(let id, let event), .clear(let id, let event):
        let key = Key(device: id.rawValue, event: event.rawValue)
        guard let entry = events[key], let pe = collections[entry.icid] else { return }
        pending.remove([UInt32(pe), entry.intid])
        if command.opcode == .discard { events[key] = nil }
      case .int(let id, let event): _ = raise(id.rawValue, event.rawValue)
      default: break
      }
    }

    mutating func raise(_ device: UInt32, _ event: UInt32) -> OutcomeClass {
      guard devices.contains(device) else { return .unmappedDevice }
      guard let entry = events[Key(device: device, event: event)] else { return .unmappedEvent }
      guard let pe = collections[entry.icid] else { return .unmappedCollection }
      return pending.insert([UInt32(pe), entry.intid]).inserted ? .delivered : .coalesced
    }
  }

  private static let commands: [ITSCommand] = [
    .mapc(icid: 0, rdBase: 0, valid: true), .mapc(icid: 0, rdBase: 1, valid: true),
    .mapc(icid: 0, rdBase: 0, valid: false), .mapc(icid: 1, rdBase: 1, valid: true),
    .mapd(DeviceID(0), size: 0, ittAddress: 0x1000, valid: true),
    .mapd(DeviceID(0), size: 0, ittAddress: 0, valid: false),
    .mapd(DeviceID(1), size: 0, ittAddress: 0x2000, valid: true),
    .mapti(DeviceID(0), EventID(0), pINTID: INTID(8192), icid: 0),
    .mapti(DeviceID(0), EventID(1), pINTID: INTID(8193), icid: 1),
    .mapti(DeviceID(1), EventID(0), pINTID: INTID(8192), icid: 1),
    .movi(DeviceID(0), EventID(0), icid: 1), .movall(from: 0, to: 1), .movall(from: 1, to: 0),
    .discard(DeviceID(0), EventID(0)), .clear(DeviceID(0), EventID(1)),
    .int(DeviceID(0), EventID(0)), .int(DeviceID(1), EventID(0)),
  ]

  private func check(
    _ its: ITS, _ shadow: Shadow, _ program: [ITSCommand],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let text = program.map(\.description).joined(separator: "; ")
    let mapped = Dictionary(
      uniqueKeysWithValues: its.mappings.map { mapping -> (Shadow.Key, Shadow.Entry) in
        guard case .collection(let icid) = mapping.destination else { fatalError("virtual") }
        return (
          Shadow.Key(device: mapping.deviceID.rawValue, event: mapping.eventID.rawValue),
          Shadow.Entry(intid: mapping.intid.rawValue, icid: icid)
        )
      })
    #expect(mapped == shadow.events, "\(text)", sourceLocation: sourceLocation)
    let pending = Set(its.pendingBits.map { [UInt32($0.target.number), $0.intid.rawValue] })
    #expect(pending == shadow.pending, "\(text)", sourceLocation: sourceLocation)
    var (its, shadow) = (its, shadow)
    for device in UInt32(0)..<2 {
      for event in UInt32(0)..<2 {
        let got = its.raise(event, device: DeviceID(device)).outcome
        let expected = shadow.raise(device, event)
        #expect(got == expected, "\(device), \(event) after \(text)")
      }
    }
    let offered = its.outcomes.values.reduce(0, +)
    #expect(offered == its.counters.interruptsOffered && offered == 4, "conservation")
    #expect(its.cache.staleHits == 0)
  }

  private func smallITS() -> ITS {
    .provisioned(
      ITS.Configuration(
        version: .v3, deviceIDBits: 1, eventIDBits: 1, collectionIDBits: 1, intidBits: 14,
        peCount: 2),
      policy: .specification.forRecordings())
  }

  /// All 17³ programs of three commands, after a set-up that maps everything.
  @Test func everyProgramOfThreeCommandsAfterSetUp() {
    var its = smallITS()
    var shadow = Shadow()
    let setUp = Self.commands.filter {
      switch $0 {
      case .mapc(0, 0, true), .mapc(1, _, true), .mapd(_, _, _, true), .mapti: true
      default: false
      }
    }
    for command in setUp {
      #expect(its.execute(command) == nil)
      shadow.execute(command)
    }
    for a in Self.commands {
      for b in Self.commands {
        for c in Self.commands { run([a, b, c], its, shadow) }
      }
    }
  }

  /// All programs of two commands from nothing: most fail, none may leave a trace.
  @Test func everyProgramOfTwoCommandsFromNothing() {
    for a in Self.commands {
      for b in Self.commands { run([a, b], smallITS(), Shadow()) }
    }
  }

  /// Long random programs over the same world; a failing seed is printed with its program.
  @Test(arguments: 0..<20)
  func longRandomPrograms(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    run((0..<200).map { _ in Self.commands.randomElement(using: &random)! }, smallITS(), Shadow())
  }

  private func run(_ program: [ITSCommand], _ its: ITS, _ shadow: Shadow) {
    var (its, shadow) = (its, shadow)
    for command in program {
      its.execute(command)
      shadow.execute(command)
    }
    check(its, shadow, program)
  }
}
