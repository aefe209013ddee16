import EventModel

/// A guest that does what Linux does: attaches devices to the SMMU, programs its ITS and MSI-X tables,
/// maps memory, and takes interrupts on its vCPUs. It gives the events of a trace, in order of time, each
/// with the outcome that it means to have.
///
/// Whoever drives it says when; `advance` brings time on, and what vCPUs do until then comes by itself.
///
/// Invariant: an interrupt is acknowledged where it is pending. Before its event is moved, unmapped or
/// masked, a pending one is taken.
struct SyntheticGuest {
  /// What this machine has. Vectors beyond the good ones are broken on purpose, in the order of `Fault`.
  struct Shape {
    var devices = 1
    var vectorsPerDevice = 1
    var faultyVectors = 0
    var vcpus = 1
    var allVectorsPerDevice: Int { vectorsPerDevice + faultyVectors }
  }

  struct Vector {
    var target: UInt16
    var generation: UInt32 = 0
    var isPending = false
  }

  /// Linux hands out IOVAs from the top, and the doorbell's page is among the first.
  static let doorbellPage: UInt64 = 0xFFFF_F000
  /// Where ITTs and the memory for DMA begin; the latter is above all that a replay's host uses.
  static let tableBase: UInt64 = 0x5000_0000
  static let memoryBase: UInt64 = 0x20_0000_0000
  /// What follows one another without a reason for more: a store, a command.
  static let stepNanoseconds: UInt64 = 200

  let shape: Shape
  let geometry: TableGeometry
  /// Not given away yet, in order.
  var events: [TraceEvent] = []
  private(set) var time: UInt64 = 0
  var vectors: [Vector]
  var vcpus: [VCPUQueue]
  /// Good vectors that each device has; up to as many as the shape says.
  var vectorCounts: [Int]
  var pools: [[LeafPool]]
  private var queueOffset: UInt64 = 0
  /// The earliest `nextTime` of a vCPU, or earlier.
  private var nextAction: UInt64 = .max

  /// - Parameter pools: the leaves of each device.
  init(_ shape: Shape, geometry: TableGeometry, pools: [[LeafPool]]) {
    self.shape = shape
    self.geometry = geometry
    self.pools = pools
    let count = shape.devices * shape.allVectorsPerDevice
    vectors = (0..<count).map { Vector(target: UInt16($0 % shape.vcpus)) }
    vcpus = Array(repeating: VCPUQueue(), count: shape.vcpus)
    vectorCounts = Array(repeating: shape.vectorsPerDevice, count: shape.devices)
  }

  // MARK: Names

  /// A PCI RequesterID per device: functions 0 of the slots of buses from 1 on.
  func streamID(_ device: Int) -> UInt32 { 0x100 + UInt32(device) * 8 }
  func asid(_ device: Int) -> UInt16 { UInt16(device + 1) }
  func vectorIndex(_ device: Int, _ vector: Int) -> Int {
    device * shape.allVectorsPerDevice + vector
  }
  func intid(_ device: Int, _ vector: Int) -> UInt32 {
    INTID.firstLPI.rawValue + UInt32(vectorIndex(device, vector))
  }
  /// The PE of a vector's collection; collection n leads to PE n.
  func target(_ device: Int, _ vector: Int) -> InterruptTarget {
    .pe(vectors[vectorIndex(device, vector)].target)
  }

  // MARK: Time

  mutating func emit(_ event: TraceEvent) {
    var event = event
    event.time = time
    events.append(event)
  }

  /// Goes to `time`, if that is later, and lets vCPUs do what they do before.
  mutating func advance(to target: UInt64) {
    while nextAction <= target {
      var next = UInt64.max
      var chosen = 0
      for index in vcpus.indices where vcpus[index].nextTime < next {
        (next, chosen) = (vcpus[index].nextTime, index)
      }
      nextAction = next
      guard next <= target else { break }
      time = max(time, next)
      act(chosen)
    }
    time = max(time, target)
  }

  mutating func step() { advance(to: time + Self.stepNanoseconds) }

  private mutating func act(_ vcpu: Int) {
    if let handling = vcpus[vcpu].handling {
      emit(.endOfInterrupt(time: 0, target: .pe(UInt16(vcpu)), intid: handling.intid))
      vcpus[vcpu].handling = nil
      vcpus[vcpu].freeAt = time
      return
    }
    guard let entry = vcpus[vcpu].first else { return }
    vcpus[vcpu].removeFirst()
    guard vectors[entry.vector].generation == entry.generation else { return }
    let intid = INTID.firstLPI.rawValue + UInt32(entry.vector)
    take(entry.vector)
    vcpus[vcpu].handling = (intid, time + entry.handlingNanoseconds)
  }

  /// The acknowledge. The vector's queue entry is void from here on.
  private mutating func take(_ index: Int) {
    emit(
      .acknowledge(
        time: 0, target: .pe(vectors[index].target), intid: INTID.firstLPI.rawValue + UInt32(index))
    )
    vectors[index].isPending = false
    vectors[index].generation &+= 1
  }

  /// Before the event of a vector changes: what is pending is taken at once.
  mutating func settle(_ device: Int, _ vector: Int) {
    let index = vectorIndex(device, vector)
    guard vectors[index].isPending else { return }
    let target = vectors[index].target
    take(index)
    emit(
      .endOfInterrupt(
        time: 0, target: .pe(target), intid: INTID.firstLPI.rawValue + UInt32(index)))
  }

  // MARK: Interrupts

  /// The device sends the message of a good vector. The vCPU takes it after `latency`, if it runs and is
  /// not busy, and is busy with it for `handling`.
  mutating func interrupt(_ device: Int, _ vector: Int, latency: UInt64, handling: UInt64) {
    let index = vectorIndex(device, vector)
    let isPending = vectors[index].isPending
    emit(
      .msi(
        time: 0, streamID: streamID(device), deviceID: streamID(device),
        address: Self.doorbellPage | 0x40, data: UInt32(vector), vector: UInt16(vector),
        flags: [.write, .addressRecorded, .interruptRecorded], expectedAddress: geometry.doorbell,
        expectedINTID: intid(device, vector), expectedTarget: .pe(vectors[index].target),
        outcome: isPending ? .coalesced : .delivered))
    guard !isPending else { return }
    vectors[index].isPending = true
    let vcpu = Int(vectors[index].target)
    vcpus[vcpu].append(
      VCPUQueue.Entry(
        vector: index, generation: vectors[index].generation, from: time + latency,
        handlingNanoseconds: handling))
    nextAction = min(nextAction, vcpus[vcpu].nextTime)
  }

  /// The vCPU starts or stops to run.
  mutating func setRunning(_ vcpu: Int, _ isRunning: Bool) {
    vcpus[vcpu].isRunning = isRunning
    vcpus[vcpu].freeAt = max(vcpus[vcpu].freeAt, time + Self.stepNanoseconds)
    nextAction = min(nextAction, vcpus[vcpu].nextTime)
  }

  // MARK: Commands

  mutating func itsCommand(_ opcode: UInt64, _ dw0: UInt64, _ dw1: UInt64, _ dw2: UInt64) {
    emit(.itsCommand(time: 0, opcode | dw0, dw1, dw2))
    queueOffset = (queueOffset + 32) % 0x1_0000
  }

  /// SYNC, and the store to GITS_CWRITER that makes the ITS look. A trap, in a guest.
  mutating func submit(sync: Bool = true) {
    if sync { itsCommand(0x05, 0, 0, 0) }
    emit(TraceEvent(time: 0, kind: .itsRegisterWrite, word0: 0x88, word1: queueOffset, word3: 8))
    step()
  }

  mutating func smmuCommand(_ dword0: UInt64, _ dword1: UInt64) {
    emit(.smmuCommand(time: 0, dword0, dword1))
    emit(.smmuCommand(time: 0, 0x46, 0))
    step()
  }
}
