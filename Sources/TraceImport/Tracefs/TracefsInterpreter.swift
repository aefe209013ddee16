import EventModel

/// Turns the events of a tracefs recording into trace events. It is the same for every container, so
/// a trace.dat and the text of the same moment give the same events.
///
/// What becomes what, and why:
/// - irq_handler_entry → `mark`. Its number is Linux's own: the recording does not say which INTID it
///   stands for, and an acknowledge with a wrong INTID would be worse than none. The mark's number is
///   the Linux number; the report tells the name of each.
/// - a probe with `hwirq` from 8192 on → `acknowledge`: for a GIC the hardware number is the INTID,
///   and the kernel has just read it from ICC_IAR1. Lower numbers are no LPIs and are ignored.
/// - iommu:map, iommu:unmap → `map`, `unmap`, one for each leaf, cut as iommu_pgsize() cuts them, with
///   4 KiB granule. The StreamID is that of the device probe before it on the same CPU for the same
///   addresses; else it is unknown (0xFFFFFFFF). ASID and descriptor attributes are not recorded, so
///   all of these are flagged `inferred`.
/// - kvm_msi_set_irq → `msi` with unknown StreamID: the raw message that KVM injected.
/// - inject probes → `msi`: DeviceID, address and data as KVM's virtual ITS gets them. A call of
///   vgic_its_inject_msi calls inject_cached_translation itself, which is then not counted; and by a
///   kernel worker it repeats what the atomic path could not do, which was counted then.
struct TracefsInterpreter: ~Copyable {
  enum Disposition {
    case used
    case ignored(IgnoredReason)
    case notUnderstood
  }

  /// Leaves of one map event. iommu_map is called per buffer or scatter list entry; more than this
  /// (512 GiB in blocks of 1 GiB) is no mapping but damage.
  static var leafLimit: Int { 512 }
  var queue = EventQueue(capacity: 8192)
  let origin: EventOrigin
  /// The time of the last event.
  private(set) var latestTime: UInt64 = 0
  private(set) var backwardTimes: UInt64 = 0
  private(set) var highestCPU: UInt16 = 0
  private(set) var firstTime: UInt64?
  private var states: [CPUState] = []

  /// What the last events of a CPU leave for the next one.
  private struct CPUState {
    /// A device probe: the device, and the addresses of the map or unmap to come.
    var device: UInt32?
    var deviceAddress: UInt64 = 0
    var deviceSize: UInt64 = 0
    var deviceIsMap = false
    /// The thread that is inside vgic_its_inject_msi.
    var injecting: Int32?
  }

  init(origin: EventOrigin) { self.origin = origin }

  var durationNanoseconds: UInt64 { latestTime - (firstTime ?? latestTime) }

  /// Takes one event.
  ///
  /// - Parameter isKernelWorker: whether the thread is one of the kernel's workers.
  mutating func read(_ record: TracefsRecord, isKernelWorker: Bool) -> Disposition {
    let time = monotonic(record.time)
    let cpu = Int(record.cpu)
    while states.count <= cpu { states.append(CPUState()) }
    highestCPU = max(highestCPU, record.cpu)
    switch record.meaning {
    case .interruptEntry:
      note(.mark, number: record.values[0], time, record.cpu)
      return .used
    case .domainInterrupt:
      let intid = record.values[0]
      guard intid >= UInt64(INTID.firstLPI.rawValue), intid <= UInt64(UInt32.max)
      else { return .ignored(.otherInterrupt) }
      var event = TraceEvent.acknowledge(
        time: time, target: .pe(record.cpu), intid: UInt32(intid), origin: origin)
      event.vector = record.cpu
      queue.append(event)
      return .used
    case .deviceMap, .deviceUnmap:
      guard record.values[0] <= UInt64(UInt16.max) else { return .notUnderstood }
      states[cpu].device = UInt32(record.values[0])
      states[cpu].deviceAddress = record.values[1]
      states[cpu].deviceSize = record.values[2]
      states[cpu].deviceIsMap = record.meaning == .deviceMap
      return .used
    case .map:
      return map(
        time, cpu, iova: record.values[0], address: record.values[1], size: record.values[2])
    case .unmap:
      return unmap(time, cpu, iova: record.values[0], size: record.values[1])
    case .message:
      guard record.values[1] <= UInt64(UInt32.max) else { return .notUnderstood }
      message(
        time, record.cpu, device: TraceEvent.unknownDevice, address: record.values[0],
        data: record.values[1])
      return .used
    case .injectCached:
      if states[cpu].injecting == record.pid {
        states[cpu].injecting = nil
        return .ignored(.repeatedInjection)
      }
      return inject(
        time, record.cpu, address: record.values[0], data: record.values[1],
        device: record.values[2])
    case .inject:
      states[cpu].injecting = record.pid
      if isKernelWorker { return .ignored(.repeatedInjection) }
      return inject(
        time, record.cpu, address: record.values[0] & 0xFFFF_FFFF | record.values[1] << 32,
        data: record.values[2], device: record.values[3])
    }
  }

  /// A gap in the recording. - Parameter count: 0 if it is not known.
  mutating func lose(_ count: UInt64, time: UInt64, cpu: UInt16) {
    note(.loss, number: count, monotonic(time), cpu)
  }

  private mutating func note(_ kind: EventKind, number: UInt64, _ time: UInt64, _ cpu: UInt16) {
    queue.append(
      TraceEvent(
        time: time, kind: kind, word0: number, target: .pe(cpu), vector: cpu, origin: origin))
  }

  private mutating func monotonic(_ time: UInt64) -> UInt64 {
    if firstTime == nil {
      firstTime = time
      latestTime = time
    }
    if time < latestTime { backwardTimes += 1 }
    latestTime = max(latestTime, time)
    return latestTime
  }

  private mutating func inject(
    _ time: UInt64, _ cpu: UInt16, address: UInt64, data: UInt64, device: UInt64
  ) -> Disposition {
    guard data <= UInt64(UInt32.max), device <= UInt64(UInt32.max) else { return .notUnderstood }
    message(time, cpu, device: UInt32(device), address: address, data: data)
    return .used
  }

  private mutating func message(
    _ time: UInt64, _ cpu: UInt16, device: UInt32, address: UInt64, data: UInt64
  ) {
    queue.append(
      .msi(
        time: time, streamID: device, deviceID: device, address: address, data: UInt32(data),
        origin: origin))
  }

  // MARK: Mappings

  private mutating func map(
    _ time: UInt64, _ cpu: Int, iova: UInt64, address: UInt64, size: UInt64
  ) -> Disposition {
    guard let leaves = Self.leaves(iova: iova, address: address, size: size)
    else { return .notUnderstood }
    let stream = takeDevice(cpu, isMap: true, address: address, size: size)
    for leaf in leaves {
      queue.append(
        .map(
          time: time, streamID: stream, asid: 0, iova: leaf.iova,
          outputAddress: address + (leaf.iova - iova), log2SizeBytes: leaf.log2Size,
          level: leaf.level, granule: .kib4, descriptor: leaf.level == 3 ? 0xF43 : 0xF41,
          flags: .inferred, origin: origin))
    }
    return .used
  }

  private mutating func unmap(
    _ time: UInt64, _ cpu: Int, iova: UInt64, size: UInt64
  ) -> Disposition {
    guard let leaves = Self.leaves(iova: iova, address: iova, size: size) else {
      return .notUnderstood
    }
    let stream = takeDevice(cpu, isMap: false, address: iova, size: size)
    for leaf in leaves {
      queue.append(
        .unmap(
          time: time, streamID: stream, asid: 0, iova: leaf.iova, log2SizeBytes: leaf.log2Size,
          level: leaf.level, granule: .kib4, flags: .inferred, origin: origin))
    }
    return .used
  }

  /// The device whose probe announced this, which is then done with.
  private mutating func takeDevice(
    _ cpu: Int, isMap: Bool, address: UInt64, size: UInt64
  ) -> UInt32 {
    let state = states[cpu]
    guard let device = state.device, state.deviceIsMap == isMap,
      // The probe has the caller's address and size; both are widened to whole pages.
      address & ~0xFFF == state.deviceAddress & ~0xFFF, size >= state.deviceSize
    else { return TraceEvent.unknownDevice }
    states[cpu].device = nil
    return device
  }

  private struct Leaf {
    var iova: UInt64
    var log2Size: UInt32
    var level: UInt32
  }

  /// Cuts a range into the largest leaves that the alignment of both addresses allows.
  private static func leaves(iova: UInt64, address: UInt64, size: UInt64) -> [Leaf]? {
    let (end, overflow) = iova.addingReportingOverflow(size)
    guard size > 0, !overflow, !address.addingReportingOverflow(size).overflow,
      (iova | address | size) & 0xFFF == 0
    else { return nil }
    var leaves: [Leaf] = []
    var place = iova
    while place < end {
      guard leaves.count < leafLimit else { return nil }
      let alignment = place | (address + (place - iova))
      let shapes: [(log2Size: UInt32, level: UInt32)] = [(30, 1), (21, 2), (12, 3)]
      for shape in shapes {
        let leafSize: UInt64 = 1 << UInt64(shape.log2Size)
        guard end - place >= leafSize, alignment & (leafSize - 1) == 0 else { continue }
        leaves.append(Leaf(iova: place, log2Size: shape.log2Size, level: shape.level))
        place += leafSize
        break
      }
    }
    return leaves
  }
}
