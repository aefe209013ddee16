import EventModel
import Replay
import TranslationCore

/// A design on x86, fed with an Arm recording.
///
/// The mapping of the recording, in full:
///
/// - *DMA* goes through the same SMMU as in every other design: VT-d's and AMD's second-stage remapping
///   is not what is compared here, and one DMA model keeps the interrupt halves comparable.
/// - *MSI writes* do not pass DMA translation: they are recognised by address 0xFEEx_xxxx and index the
///   interrupt remapping table. The guest's doorbell, wherever its stage 1 puts it, stands for that
///   address; a message that means another address is no interrupt request and is lost.
/// - *DeviceID* becomes the requester ID, *(INTID, target)* becomes (vector, vCPU) by `GuestVectors`.
/// - *MAPTI, MOVI, DISCARD, …* are the guest's changes of vector and vCPU. With `trapped` set-up the
///   guest has no remapping of its own, so the message itself holds both: a MOVI stands for a rewritten
///   MSI-X entry, five trapped stores (mask, address twice, data, unmask; Linux
///   drivers/pci/msi/msi.c, pci_write_msg_msix), and CWRITER stores stand for nothing. With `owned` the
///   guest programs a virtual remapping table; a CWRITER store stands for its doorbell, which traps.
/// - *Enable bits* of LPIs have no counterpart in a local APIC. A disabled interrupt becomes pending and is
///   not taken, as the guest's own software would have it.
///
/// Outcomes are translated back to the recording's INTID and target, so that the same oracle judges.
///
/// `X86Backend+SetUp` follows the guest's intents, `X86Backend+Trapped` is the MSI-X rewriting,
/// `X86Backend+Delivery` the way of one MSI. One thread at a time.
struct X86Backend<Choice: DesignChoice, Remapper: InterruptRemapper & ~Copyable>:
  TranslationBackend, ~Copyable
{
  var smmu: SMMUCore
  var unit = Remapper()
  var guest = GuestIntent()
  let limits: GuestLimits
  var vectors = VectorTable()
  var doorbells: DoorbellPages
  var guestVectors: GuestVectors
  var configurations = LPIConfigurations()
  /// Interrupts that are pending but have no vector now, by `LPIConfigurations.key`.
  var held: Set<UInt32> = []
  /// The vector to which a device's place leads; absent: the entry is the host's own, or empty.
  var links: [Link: GuestVectors.Place] = [:]
  var routes: [X86Route] = []
  var reached = ReachedDoorbells()
  var work = WorkCounters()

  init(geometry: TableGeometry, smmu options: SMMUOptions) {
    smmu = SMMUCore(geometry: geometry, options: options)
    limits = GuestLimits(geometry)
    doorbells = DoorbellPages(page: geometry.itsTranslationPage)
    guestVectors = GuestVectors(intidBits: geometry.intidBits)
  }

  var counters: WorkCounters {
    var sum = work
    smmu.addCounters(to: &sum)
    unit.addCounters(to: &sum)
    sum.vectorShortages += guestVectors.shortages
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
      doorbells.map(event)
    case .unmap:
      smmu.unmap(event)
      doorbells.unmap(event)
    default: smmu.command(event.word0, event.word1)
    }
  }

  @inline(__always)
  mutating func acknowledge(_ event: TraceEvent) {
    if let place = guestVectors.place(event.intid, event.target) {
      _ = unit.acknowledge(vcpu: place.vcpu, vector: place.vector)
    } else {
      held.remove(LPIConfigurations.key(event.intid, event.target))
    }
  }
}

/// A device's place, as the name of the way from it.
struct Link: Hashable {
  var device: UInt32
  var place: UInt32

  init(_ device: UInt32, _ place: UInt32) {
    self.device = device
    self.place = place
  }
}

/// What the eventfd of one host interrupt injects: the guest's message, decoded.
struct X86Route {
  var deviceID: UInt32
  var place: UInt32
  var streamID: UInt32
  var vcpu: UInt32 = 0
  var vector: UInt8 = 0
  /// The guest's message leads to a vector. Otherwise `inject` asks again.
  var isConnected = false
}

/// Message addresses that were found to be the doorbell, by stream, until a mapping of it changes.
struct ReachedDoorbells {
  private struct Line {
    var address: UInt64 = 0
    var changes = UInt64.max
    var streamID: UInt32 = 0
  }
  private var lines = [Line](repeating: Line(), count: 64)

  @inline(__always)
  func contains(_ streamID: UInt32, _ address: UInt64, _ changes: UInt64) -> Bool {
    let line = lines[Int(streamID & 63)]
    return line.address == address && line.streamID == streamID && line.changes == changes
  }

  mutating func insert(_ streamID: UInt32, _ address: UInt64, _ changes: UInt64) {
    lines[Int(streamID & 63)] = Line(address: address, changes: changes, streamID: streamID)
  }
}
