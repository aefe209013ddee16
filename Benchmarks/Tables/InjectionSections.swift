import Backends
import EventModel
import Replay
import TranslationCore

/// What software does where no ITS finds the guest's vPE: the whole way of an MSI through a design, and
/// the virtual ITS's translation cache alone.
enum InjectionSections {
  private static let devices: UInt32 = 8
  private static let events: UInt32 = 32
  private static let rounds = 32
  private static var interrupts: Int { Int(devices * events) }

  static func table(samples: Int) -> Table {
    var table = Table(
      "MSI by its way to the guest (owned set-up): one MSI and its acknowledge",
      columns: [
        "way", "ns min", "ns median", "route reads", "cache hits", "cache misses", "wake-ups",
        "syscalls",
      ])
    for (name, design) in [
      ("vlpi", Design.direct), ("irqfd", Design(.owned, .irqfd)),
      ("bounce", Design(.owned, .bounce)),
    ] {
      table.rows.append(row(name, design, samples: samples))
    }
    table.rows.append(cacheHit(samples: samples))
    table.notes = [
      "Through SMMU (TLB hit) and physical ITS; work per MSI, exact. Cache hits: whole passes, misses in",
      "the first round. Wake-ups and system calls are counted, not timed: see doorbell replay.",
    ]
    return table
  }

  private static func row(_ name: String, _ design: Design, samples: Int) -> [Table.Cell] {
    guard let runner = BackendCatalogue.runner(of: design, geometry: TableGeometry()) else {
      fail("no design \(design)")
    }
    var options = CoreExperiment.Options()
    options.coldPasses = 1
    options.warmSamples = 1
    options.warmNanoseconds = 0
    options.trafficPasses = samples
    options.thrashPasses = 0
    let result = runner.core(setUp + traffic, options)
    require(result.isRepeatable, "\(design) gives other answers from pass to pass")
    options.trafficPasses = 1
    let work = result.coldCounters - runner.core(setUp, options).coldCounters
    let count = interrupts * rounds
    var times = Samples()
    for pass in result.traffic { times.append(pass.trafficNanoseconds, of: count) }
    let each = { (value: UInt64) in Table.Cell.figure(Double(value) / Double(count)) }
    return [
      .text(name), .figure(times.minimum), .figure(times.median), each(work.routeReads),
      each(work.translationCacheHits), each(work.translationCacheMisses), each(work.wakeUps),
      each(work.syscalls),
    ]
  }

  private static var geometry: TableGeometry { TableGeometry() }

  /// A guest that maps its doorbell at one page for all devices and each event to its only PE.
  private static var setUp: [TraceEvent] {
    var list: [TraceEvent] = []
    for device in 0..<devices {
      let asid = UInt16(device + 1)
      var stream = StreamConfiguration()
      stream.asid = asid
      stream.ttb0 = UInt64(asid) << 12
      list.append(stream.event(time: 0, streamID: device))
      list.append(
        .map(
          time: 0, streamID: device, asid: asid, iova: doorbellPage,
          outputAddress: geometry.itsTranslationPage, log2SizeBytes: 12, level: 3, granule: .kib4,
          descriptor: 0xF47))
    }
    // MAPC of ICID 0 to PE 0, then MAPD and MAPTI (IHI 0069, §5.3).
    list.append(.itsCommand(time: 0, 0x09, 0, 1 << 63))
    for device in 0..<UInt64(devices) {
      list.append(
        .itsCommand(time: 0, 0x08 | device << 32, 4, 1 << 63 | 0x4000_0000 | device << 16))
      for event in 0..<UInt64(events) {
        let intid = UInt64(INTID.firstLPI.rawValue) + device * UInt64(events) + event
        list.append(.itsCommand(time: 0, 0x0A | device << 32, event | intid << 32, 0))
      }
    }
    return list
  }

  private static let doorbellPage: UInt64 = 0xFFFF_0000

  private static var traffic: [TraceEvent] {
    var list: [TraceEvent] = []
    for _ in 0..<rounds {
      for index in 0..<UInt32(interrupts) {
        let event = index &* 37 % UInt32(interrupts)
        list.append(
          .msi(
            time: 0, streamID: event % devices, deviceID: event % devices,
            address: doorbellPage + 0x40, data: event / devices))
        list.append(
          .acknowledge(
            time: 0, target: .pe(0),
            intid: INTID.firstLPI.rawValue + event % devices * events + event / devices))
      }
    }
    return list
  }

  /// KVM's cache answers: `VirtualITS.inject` and no more of the way.
  private static func cacheHit(samples: Int) -> [Table.Cell] {
    var its = VirtualITS(geometry: geometry)
    its.mapCollection(0, target: .pe(0), isValid: true)
    for device in 0..<devices {
      its.mapDevice(device, log2Events: 5, isValid: true)
      for event in 0..<events {
        its.mapEvent(
          device, event, intid: INTID.firstLPI.rawValue + device * events + event, collection: 0)
      }
    }
    inject(&its)
    let (hits, misses) = (its.cacheHits, its.cacheMisses)
    var times = Samples()
    for _ in 0..<samples { times.append(nanoseconds { inject(&its) }, of: interrupts * rounds) }
    let count = UInt64(interrupts * rounds * samples)
    require(its.cacheHits - hits == count && its.cacheMisses == misses, "the cache missed")
    return [
      .text("translation cache alone"), .figure(times.minimum), .figure(times.median), .figure(0),
      .figure(1), .figure(0), .figure(0), .figure(0),
    ]
  }

  @inline(never)
  private static func inject(_ its: inout VirtualITS) {
    for _ in 0..<rounds {
      for device in 0..<devices {
        for event in 0..<events {
          let outcome = its.inject(deviceID: device, eventID: event)
          its.pending.acknowledge(outcome.intid, outcome.target)
        }
      }
    }
  }
}
