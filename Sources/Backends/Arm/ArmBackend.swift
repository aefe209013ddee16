import EventModel
import Replay
import TranslationCore

/// A design on Arm: one device path (SMMU, physical ITS) and what the host's software does around it.
///
/// `ArmBackend+SetUp` turns the guest's intents into the host's tables, `ArmBackend+Trapped` is the
/// MSI-X rewriting, `ArmBackend+Delivery` the way of one MSI. One thread at a time.
struct ArmBackend<Choice: DesignChoice, Host: HostInterruptController & ~Copyable>:
  TranslationBackend, ~Copyable
{
  var smmu: SMMUCore
  /// The physical ITS.
  var its: Host
  /// The guest's ITS as the host's injection path sees it. Only with an eventfd.
  var virtualITS: VirtualITS
  var guest = GuestIntent()
  let limits: GuestLimits
  var vectors = VectorTable()
  var routes = RouteTable()
  var doorbells: DoorbellPages
  var work = WorkCounters()
  /// The next host LPI that was never given, and those that were given back.
  var nextHostINTID = INTID.firstLPI.rawValue
  var freeHostINTIDs: [UInt32] = []
  let hostINTIDEnd: UInt32
  var mappedDevices: Set<UInt32> = []
  /// The trace holds stores to GITS_CWRITER; if not, a run of commands is one trap.
  var hasQueueStores = false
  var isInRun = false

  init(geometry: TableGeometry, smmu options: SMMUOptions) {
    smmu = SMMUCore(geometry: geometry, options: options)
    its = Host(geometry: HostLayout.geometry(for: geometry))
    virtualITS = VirtualITS(geometry: geometry)
    limits = GuestLimits(geometry)
    doorbells = DoorbellPages(page: geometry.itsTranslationPage)
    hostINTIDEnd = its.intidEnd
    smmu.mapStage2(
      ipa: geometry.itsTranslationPage, pa: HostLayout.itsTranslationPage, log2SizeBytes: 12)
    if Choice.isTrapped {
      smmu.mapStage2(
        ipa: HostLayout.windowPage, pa: HostLayout.itsTranslationPage, log2SizeBytes: 12)
    }
    its.mapCollection(HostLayout.collection, pe: 0, isValid: true)
  }

  var counters: WorkCounters {
    var sum = work
    smmu.addCounters(to: &sum)
    its.addCounters(to: &sum)
    virtualITS.addCounters(to: &sum)
    return sum
  }

  var deliversThroughEventfd: Bool { !Choice.isVLPI }

  func physicalAddress(ofIntermediate intermediate: UInt64) -> UInt64 {
    smmu.physicalAddress(ofIntermediate: intermediate)
  }

  mutating func maintain(_ event: TraceEvent) {
    switch event.kind {
    case .map:
      smmu.map(event)
      if Choice.isTrapped { doorbells.map(event) }
    case .unmap:
      smmu.unmap(event)
      if Choice.isTrapped { doorbells.unmap(event) }
    default: smmu.command(event.word0, event.word1)
    }
  }

  mutating func acknowledge(_ event: TraceEvent) {
    if Choice.isVLPI {
      its.acknowledge(event.intid, event.target)
    } else {
      virtualITS.pending.acknowledge(event.intid, event.target)
    }
  }
}
