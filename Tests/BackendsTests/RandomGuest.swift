import EventModel
import TestSupport

/// A guest that does at random what drivers and administrators do: binds and unbinds devices, moves
/// interrupts, rewrites MSI-X entries (rightly and wrongly), sends commands that make no sense, and
/// gets interrupts of all of it.
///
/// Like every guest that keeps to the architecture it leaves no LPI pending at a target that its event
/// no longer leads to: what is pending is acknowledged before a collection moves or goes.
struct RandomGuest {
  private struct Vector {
    var address: UInt64
    var data: UInt32
  }
  private struct Device {
    var bits: UInt64 = 0
    /// EventID → ICID.
    var events: [UInt32: UInt64] = [:]
    var vectors: [UInt16: Vector] = [:]
  }

  var script = GuestScript()
  private var random: SeededGenerator
  private var devices: [UInt32: Device] = [:]
  private var collections: [UInt64: UInt64] = [:]
  /// (device, event) pairs that may be pending, and where they may be.
  private var raised: [UInt32: Set<UInt16>] = [:]

  init(seed: UInt64, steps: Int) {
    random = SeededGenerator(seed: seed)
    for device in Self.devices {
      script.attach(device, mapsDoorbell: device & 1 == 0)
      devices[device] = Device()
    }
    for icid in 0..<3 as Range<UInt64> { mapCollection(icid, icid) }
    for _ in 0..<steps { step() }
  }

  static let devices: [UInt32] = [0x08, 0x09, 0x100, 0x101]

  private mutating func pick(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }
  private mutating func oneIn(_ count: Int) -> Bool { pick(0..<count) == 0 }
  private mutating func device() -> UInt32 { Self.devices[pick(0..<Self.devices.count)] }

  static func intid(_ device: UInt32, _ event: UInt32) -> UInt32 {
    8192 + (device & 0xF | device >> 4 & 0x10) * 32 + event
  }

  private mutating func acknowledgeAll() {
    for (intid, targets) in raised.sorted(by: { $0.key < $1.key }) {
      for target in targets.sorted() { script.acknowledge(.pe(target), intid) }
    }
    raised = [:]
  }

  private mutating func mapCollection(_ icid: UInt64, _ pe: UInt64) {
    acknowledgeAll()
    script.mapc(icid, pe)
    collections[icid] = pe
  }

  private mutating func step() {
    let id = device()
    switch pick(0..<40) {
    case 0: bind(id)
    case 1: unbind(id)
    case 2: mapCollection(UInt64(pick(0..<4)), UInt64(pick(0..<4)))
    case 3:
      acknowledgeAll()
      let icid = UInt64(pick(0..<4))
      script.mapc(icid, 0, valid: false)
      collections[icid] = nil
    case 4...6: mapEvent(id)
    case 7...9: move(id)
    case 10: discard(id)
    case 11: script.event(0x04, id, UInt32(pick(0..<12)))
    case 12: trigger(id)
    case 13: senseless(id)
    case 14...18: rewrite(id)
    case 19: script.mapDoorbell(id)
    default: interrupt(id)
    }
  }

  private mutating func bind(_ id: UInt32) {
    acknowledgeAll()
    devices[id]!.bits = UInt64(pick(1..<5))
    devices[id]!.events = [:]
    script.mapd(id, bits: devices[id]!.bits)
    for event in 0..<UInt32(min(4, 1 << devices[id]!.bits)) {
      mapEvent(id, event)
      let vector = UInt16(event) ^ UInt16(pick(0..<2))
      program(id, vector, Vector(address: GuestScript.doorbellIOVA, data: event))
    }
  }

  private mutating func unbind(_ id: UInt32) {
    acknowledgeAll()
    for event in devices[id]!.events.keys.sorted() where !oneIn(3) { script.discard(id, event) }
    script.mapd(id, bits: 1, valid: false)
    devices[id]!.bits = 0
    devices[id]!.events = [:]
  }

  private mutating func mapEvent(_ id: UInt32, _ event: UInt32? = nil) {
    let event = event ?? UInt32(pick(0..<12))
    let icid = UInt64(pick(0..<4))
    // Overwriting a live mapping that may be pending elsewhere would leave that behind.
    if devices[id]!.events[event] != nil { acknowledgeAll() }
    script.mapti(id, event, Self.intid(id, event), icid)
    if devices[id]!.bits > 0, event >> UInt32(devices[id]!.bits) == 0 {
      devices[id]!.events[event] = icid
    }
  }

  private mutating func move(_ id: UInt32) {
    let event = UInt32(pick(0..<12))
    let icid = UInt64(pick(0..<4))
    script.movi(id, event, icid)
    guard let old = devices[id]!.events[event], collections[old] != nil, collections[icid] != nil
    else { return }
    devices[id]!.events[event] = icid
    if let target = collections[icid], raised[Self.intid(id, event)] != nil {
      raised[Self.intid(id, event)]!.insert(UInt16(target))
    }
  }

  private mutating func discard(_ id: UInt32) {
    let event = UInt32(pick(0..<12))
    script.discard(id, event)
    if let icid = devices[id]!.events[event], collections[icid] != nil {
      devices[id]!.events[event] = nil
    }
  }

  private mutating func trigger(_ id: UInt32) {
    let event = UInt32(pick(0..<12))
    script.event(0x03, id, event)
    note(id, event)
  }

  /// Fields out of range, opcodes that do not exist: nothing may happen.
  private mutating func senseless(_ id: UInt32) {
    switch pick(0..<6) {
    case 0: script.mapd(id, bits: 20)
    case 1: script.mapd(0x4000_0000, bits: 2)
    case 2: script.mapc(UInt64(pick(0..<4)), 100)
    case 3: script.mapti(id, UInt32(pick(0..<4)), UInt32(pick(0..<8192)), 0)
    case 4: script.mapti(id, UInt32(pick(0..<4)), 1 << 20, 0)
    default: script.command(UInt64(pick(0x30..<0x100)), random.next() << 8, random.next())
    }
  }

  private mutating func rewrite(_ id: UInt32) {
    let vector = UInt16(pick(0..<6))
    var message = Vector(
      address: GuestScript.doorbellIOVA, data: UInt32(oneIn(4) ? pick(0..<300) : pick(0..<12)))
    if oneIn(6) { message.address += 0x10 }
    if oneIn(8) { message.address = 0x7777_0040 }
    program(id, vector, message)
  }

  private mutating func program(_ id: UInt32, _ vector: UInt16, _ message: Vector) {
    devices[id]!.vectors[vector] = message
    script.program(id, vector, address: message.address, data: message.data)
  }

  private mutating func interrupt(_ id: UInt32) {
    let keys = devices[id]!.vectors.keys.sorted()
    guard !keys.isEmpty else { return }
    let vector = keys[pick(0..<keys.count)]
    let message = devices[id]!.vectors[vector]!
    script.msi(
      id, oneIn(8) ? TraceEvent.unknownVector : vector, address: message.address,
      data: message.data)
    guard message.address == GuestScript.doorbellIOVA else { return }
    note(id, message.data)
    if oneIn(2), message.data < 12 {
      let intid = Self.intid(id, message.data)
      for target in (raised[intid] ?? []).sorted() { script.acknowledge(.pe(target), intid) }
      raised[intid] = nil
    }
  }

  private mutating func note(_ id: UInt32, _ event: UInt32) {
    guard let icid = devices[id]!.events[event], let pe = collections[icid] else { return }
    raised[Self.intid(id, event), default: []].insert(UInt16(pe))
  }
}
