import EventModel
import ReferenceModel
import TestSupport
import Testing

@testable import TranslationCore

/// The core behind its caches and the reference with caches of the same shapes: same outcomes, same
/// hits, misses, invalidations, flushes and table reads.
@Suite struct ITSCachesTests {
  private static let shapes: [ITSCacheShapes] = [
    .gic600,
    // Small enough to throw things out all the time.
    ITSCacheShapes(
      device: CacheShape(indexBits: 0, ways: 2), event: CacheShape(indexBits: 1, ways: 3),
      collection: CacheShape(indexBits: 0, ways: 1)),
    ITSCacheShapes(event: CacheShape(indexBits: 2, ways: 2)),
    ITSCacheShapes(
      device: CacheShape(indexBits: 1, ways: 1), collection: CacheShape(indexBits: 1, ways: 2)),
    .none,
  ]

  @Test(arguments: shapes.indices, [CacheInvalidation.targeted, .wholeCache])
  func randomSequencesHitAndMissAlike(index: Int, invalidation: CacheInvalidation) {
    // Twenty combinations share what one case of `ITSDifferentialTests` gets twice.
    let events = SoakSize.events(perCase: 15_000) / 10
    for seed in 0..<UInt64((events + 1_499) / 1_500) {
      for version in [ITSRules.Version.v4, .v41] {
        let difference = run(Self.shapes[index], invalidation, version, seed)
        #expect(difference == nil, "seed \(seed), \(version)")
        if difference != nil { return }
      }
    }
  }

  private func run(
    _ shapes: ITSCacheShapes, _ invalidation: CacheInvalidation, _ version: ITSRules.Version,
    _ seed: UInt64
  ) -> String? {
    var policy = ITS.Policy.specification.forRecordings()
    policy.cacheShapes = shapes
    policy.invalidation = invalidation
    var reference = ITS.provisioned(
      ITS.Configuration(ITSPair.geometry, version: ITS.Version(rawValue: version.rawValue)!),
      policy: policy)
    var core = ITSCore(geometry: ITSPair.geometry, rules: ITSRules(version: version))
    var caches = ITSCaches(shapes, invalidation)
    var source = ITSEventSource(seed: seed, version)
    for step in 0..<1_500 {
      switch source.pick(0..<64) {
      case 0..<14:
        let p = source.command()
        let expected = reference.execute(p)
        let found = core.execute(p.dw0, p.dw1, p.dw2, p.dw3, through: &caches)
        if found != expected { return "step \(step): \(p)" }
      case 14:
        let isEnabled = source.pick(0..<4) != 0
        reference.write(register: ITS.Register.ctlr, value: isEnabled ? 1 : 0)
        core.setEnabled(isEnabled, through: &caches)
      case 15:
        let pe = UInt16(source.pick(0..<4))
        let value = UInt64(source.pick(0..<4) == 0 ? 0 : 1)
        reference.writeRedistributor(pe, offset: 0, value: value)
        core.write(.ctlr, value, pe: pe, through: &caches)
      default:
        let device = source.pick(0..<48) == 0 ? source.pick(0..<20) : source.pick(0..<5)
        let event = source.pick(0..<5)
        var expected = reference.translate(deviceID: DeviceID(device), eventID: EventID(event))
        expected.address = 0
        let found = core.translate(deviceID: device, eventID: event, through: &caches)
        if found != expected { return "step \(step): expected \(expected), found \(found)" }
      }
    }
    if reference.caches.staleHits != 0 { return "\(reference.caches.staleHits) stale hits" }
    var expected = reference.counters
    reference.caches.addCounters(to: &expected)
    var found = WorkCounters()
    core.addCounters(to: &found)
    caches.addCounters(to: &found)
    for (name, path) in WorkCounters.fields where expected[keyPath: path] != found[keyPath: path] {
      return "\(name): expected \(expected[keyPath: path]), found \(found[keyPath: path])"
    }
    return nil
  }

  /// Where the two policies part: MOVI of one event, then an MSI of another.
  @Test func aMOVICostsTheOtherEventsOnlyUnderKVMsPolicy() {
    for (invalidation, misses) in [(CacheInvalidation.targeted, UInt64(2)), (.wholeCache, 3)] {
      var core = ITSCore(geometry: ITSPair.geometry, rules: ITSRules(version: .v4))
      var caches = ITSCaches(.gic600, invalidation)
      let device = DeviceID(8)
      let commands: [ITSCommand] = [
        .mapc(icid: 0, rdBase: 0, valid: true), .mapc(icid: 1, rdBase: 1, valid: true),
        .mapd(device, size: 1, ittAddress: 0, valid: true),
        .mapti(device, EventID(0), pINTID: INTID(8192), icid: 0),
        .mapti(device, EventID(1), pINTID: INTID(8193), icid: 0),
      ]
      for command in commands {
        let p = command.packet
        core.execute(p.dw0, p.dw1, p.dw2, p.dw3, through: &caches)
      }
      for event in 0..<2 as Range<UInt32> {
        _ = core.translate(deviceID: 8, eventID: event, through: &caches)
      }
      let p = ITSCommand.movi(device, EventID(0), icid: 1).packet
      core.execute(p.dw0, p.dw1, p.dw2, p.dw3, through: &caches)
      let outcome = core.translate(deviceID: 8, eventID: 1, through: &caches)
      #expect(outcome.outcome == .coalesced && caches.event.misses == misses)
    }
  }
}
