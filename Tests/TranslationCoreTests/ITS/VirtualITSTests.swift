import EventModel
import ReferenceModel
import TestSupport
import Testing

@testable import TranslationCore

/// KVM's virtual ITS and the reference model's account of the same cache: outcomes, hits, misses,
/// flushes.
@Suite struct VirtualITSTests {
  private struct Pair: ~Copyable {
    var fast = VirtualITS(geometry: ITSPair.geometry)
    var reference: ITS
    var differences: [String] = []
    /// Live events; KVM and the architecture disagree about mapping one again.
    var events: Set<UInt64> = []

    init() {
      var policy = ITS.Policy.specification.forRecordings()
      policy.invalidation = .wholeCache
      reference = ITS.provisioned(ITS.Configuration(ITSPair.geometry), policy: policy)
    }

    /// Delivered since the last time.
    private var raised: [Outcome] = []

    mutating func acknowledgeAll() {
      for outcome in raised {
        // A MOVI took the pending bit along.
        for pe in 0..<3 as Range<UInt16> {
          reference.acknowledge(target: .pe(pe), intid: INTID(outcome.intid))
        }
        fast.pending.acknowledge(outcome.intid, outcome.target)
      }
      raised = []
    }

    mutating func mapDevice(_ device: UInt32, size: UInt8, valid: Bool) {
      reference.execute(
        .mapd(
          DeviceID(device), size: size, ittAddress: 0x4000_0000 + UInt64(device & 15) << 20,
          valid: valid))
      fast.mapDevice(device, log2Events: UInt32(size) + 1, isValid: valid)
      let isAccepted = device < 16 && (!valid || size < ITSPair.geometry.eventIDBits)
      if isAccepted { events = events.filter { $0 >> 32 != UInt64(device) } }
    }

    mutating func map(_ device: UInt32, _ event: UInt32, icid: UInt16) {
      let key = UInt64(device) << 32 | UInt64(event)
      guard !events.contains(key) else { return }
      acknowledgeAll()
      let intid = 8192 + (device & 15) * 32 + event & 31
      let failure = reference.execute(
        .mapti(DeviceID(device), EventID(event), pINTID: INTID(intid), icid: icid))
      fast.mapEvent(device, event, intid: intid, collection: UInt32(icid))
      if failure == nil { events.insert(key) }
    }

    mutating func mapCollection(_ icid: UInt16, _ pe: UInt16, valid: Bool) {
      acknowledgeAll()
      reference.execute(.mapc(icid: icid, rdBase: UInt64(pe), valid: valid))
      if icid < 8 { fast.mapCollection(UInt32(icid), target: .pe(pe), isValid: valid) }
    }

    mutating func move(_ device: UInt32, _ event: UInt32, icid: UInt16) {
      reference.execute(.movi(DeviceID(device), EventID(event), icid: icid))
      fast.moveEvent(device, event, collection: UInt32(icid))
    }

    mutating func discard(_ device: UInt32, _ event: UInt32) {
      let failure = reference.execute(.discard(DeviceID(device), EventID(event)))
      fast.discard(device, event)
      if failure == nil { events.remove(UInt64(device) << 32 | UInt64(event)) }
    }

    mutating func inject(_ device: UInt32, _ event: UInt32) {
      let expected = reference.translate(deviceID: DeviceID(device), eventID: EventID(event))
      let found = fast.inject(deviceID: device, eventID: event)
      if found.outcome == .delivered { raised.append(found) }
      if expected.outcome != found.outcome || expected.intid != found.intid
        || expected.target != found.target
      {
        differences.append("device \(device) event \(event): \(expected), found \(found)")
      }
    }
  }

  @Test(arguments: 1...6)
  func outcomesAndCacheCountsAreThoseOfTheReference(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var pair = Pair()
    func pick(_ count: UInt32) -> UInt32 { UInt32.random(in: 0..<count, using: &random) }
    for icid in 0..<4 as Range<UInt16> { pair.mapCollection(icid, icid % 3, valid: true) }
    for _ in 0..<4_000 {
      let device = pick(60) == 0 ? 16 + pick(3) : pick(4)
      let event = pick(60) == 0 ? 30 + pick(4) : pick(6)
      let icid = UInt16(pick(60) == 0 ? 8 : pick(4))
      switch pick(80) {
      case 0: pair.mapDevice(device, size: UInt8(pick(7)), valid: pick(4) != 0)
      case 1: pair.mapCollection(icid, UInt16(pick(3)), valid: pick(3) != 0)
      case 2...15: pair.map(device, event, icid: icid)
      case 16: pair.move(device, event, icid: icid)
      case 17: pair.discard(device, event)
      case 18:
        pair.acknowledgeAll()
        pair.reference.execute(.clear(DeviceID(device), EventID(event)))
        pair.fast.clear(device, event)
      case 19 where pick(3) == 0:
        pair.reference.write(register: 0, value: 0, sizeBytes: 4)
        pair.fast.setEnabled(false)
        pair.inject(device, event)
        pair.reference.write(register: 0, value: 1, sizeBytes: 4)
        pair.fast.setEnabled(true)
      case 20 where pick(3) == 0:
        pair.acknowledgeAll()
        pair.reference.execute(.movall(from: 0, to: 1))
        pair.fast.moveAll()
      case 21...26: pair.acknowledgeAll()
      default: pair.inject(device, event)
      }
    }
    #expect(pair.differences == [])
    #expect(pair.fast.cacheHits == pair.reference.cache.hits)
    #expect(pair.fast.cacheMisses == pair.reference.cache.misses)
    #expect(pair.fast.cacheFlushes == pair.reference.cache.flushes)
    #expect(pair.fast.cacheHits > 50 && pair.fast.cacheFlushes > 10)
  }

  /// A miss walks the device list and the device's event list, in the order of mapping, and the
  /// collection list; a hit walks nothing.
  @Test func aMissStepsThroughTheListsAndAHitDoesNot() {
    var its = VirtualITS(geometry: ITSPair.geometry)
    for icid in 0..<3 as Range<UInt32> {
      its.mapCollection(icid, target: .pe(UInt16(icid)), isValid: true)
    }
    for device in 0..<4 as Range<UInt32> {
      its.mapDevice(device, log2Events: 4, isValid: true)
      for event in 0..<8 as Range<UInt32> {
        its.mapEvent(device, event, intid: 8192 + device * 16 + event, collection: event % 3)
      }
    }
    var steps = its.listSteps
    func walked(_ its: borrowing VirtualITS) -> UInt64 {
      defer { steps = its.listSteps }
      return its.listSteps - steps
    }
    #expect(its.inject(deviceID: 2, eventID: 5).outcome == .delivered)
    #expect(walked(its) == 3 + 6 + 3)
    #expect(its.inject(deviceID: 2, eventID: 5).outcome == .coalesced)
    #expect(walked(its) == 0)
    // An unknown device: the whole device list. An unknown event: its device's list.
    #expect(its.inject(deviceID: 9, eventID: 0).outcome == .unmappedDevice)
    #expect(walked(its) == 4)
    #expect(its.inject(deviceID: 1, eventID: 9).outcome == .unmappedEvent)
    #expect(walked(its) == 2 + 8)
    // MAPC of a known collection keeps its place: event 0 still finds it first.
    its.mapCollection(0, target: .pe(2), isValid: true)
    _ = walked(its)
    #expect(its.inject(deviceID: 0, eventID: 0).target == .pe(2))
    #expect(walked(its) == 1 + 1 + 1)
  }

  /// More translations than the cache starts with: it grows and still answers for every one.
  @Test func theCacheGrowsAndKeepsWhatItHolds() {
    var geometry = ITSPair.geometry
    geometry.deviceIDBits = 8
    geometry.eventIDBits = 8
    geometry.intidBits = 16
    var its = VirtualITS(geometry: geometry)
    its.mapCollection(0, target: .pe(0), isValid: true)
    let devices: UInt32 = 30
    let events: UInt32 = 60
    for device in 0..<devices {
      its.mapDevice(device, log2Events: 6, isValid: true)
      for event in 0..<events {
        its.mapEvent(device, event, intid: 8192 + device * events + event, collection: 0)
      }
    }
    for pass in 0..<2 as Range<UInt64> {
      var found: [UInt32] = []
      for device in 0..<devices {
        for event in 0..<events {
          found.append(its.inject(deviceID: device, eventID: event).intid)
        }
      }
      #expect(found == (0..<devices * events).map { 8192 + $0 })
      #expect(its.cacheHits == pass * UInt64(devices * events))
    }
    #expect(its.cacheMisses == UInt64(devices * events))
    its.moveEvent(0, 0, collection: 0)
    _ = its.inject(deviceID: 29, eventID: 59)
    #expect(its.cacheMisses == UInt64(devices * events) + 1)
  }
}
