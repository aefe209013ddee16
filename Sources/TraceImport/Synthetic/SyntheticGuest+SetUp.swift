import EventModel

// What drivers do before and after traffic, in the order in which Linux does it (recorded boots show it).

extension SyntheticGuest {
  /// ITS and redistributors on, a collection for each vCPU.
  mutating func boot() {
    emit(TraceEvent(time: 0, kind: .itsRegisterWrite, word0: 0, word1: 1, word3: 4))
    for vcpu in 0..<shape.vcpus {
      emit(
        TraceEvent(
          time: 0, kind: .redistributorWrite, word0: 0, word1: 1, word3: 4,
          target: .pe(UInt16(vcpu))))
      itsCommand(0x09, 0, 0, 1 << 63 | UInt64(vcpu) << 16 | UInt64(vcpu))
      submit()
      itsCommand(0x0D, 0, 0, UInt64(vcpu))
      submit()
    }
  }

  /// A stage 1 of its own for the device, with the doorbell's page in it.
  mutating func attach(_ device: Int) {
    var configuration = StreamConfiguration()
    configuration.asid = asid(device)
    configuration.ttb0 = 0x4800_0000 + UInt64(device) << 12
    configuration.granule = granule
    emit(configuration.event(time: 0, streamID: streamID(device)))
    smmuCommand(0x03 | UInt64(streamID(device)) << 32, 1)
    // As Linux maps a message page: device memory, not executable (io-pgtable-arm.c, IOMMU_MMIO).
    emit(
      .map(
        time: 0, streamID: streamID(device), asid: asid(device), iova: doorbellLeaf,
        outputAddress: geometry.doorbell & ~(leafBytes - 1), log2SizeBytes: granule.log2Bytes,
        level: 3, granule: granule, descriptor: 0x0060_0000_0000_0E4B))
  }

  private var leafBytes: UInt64 { 1 << UInt64(granule.log2Bytes) }
  private var doorbellLeaf: UInt64 { Self.doorbellPage & ~(leafBytes - 1) }

  /// The driver binds: MAPD, and every vector mapped, programmed and unmasked.
  mutating func bind(_ device: Int) {
    control(device, enabled: true, masked: true)
    mapDevice(device, isValid: true)
    for vectors in [0..<vectorCounts[device], shape.vectorsPerDevice..<shape.allVectorsPerDevice] {
      for vector in vectors {
        mapEvent(device, vector)
        program(device, vector)
      }
    }
    control(device, enabled: true, masked: false)
  }

  /// The driver lets go: vectors masked, events discarded, the device unmapped.
  mutating func unbind(_ device: Int) {
    for vector in 0..<vectorCounts[device] {
      settle(device, vector)
      tableWrite(device, vector, word: 3, 1)
    }
    control(device, enabled: false, masked: false)
    for vector in 0..<vectorCounts[device] {
      eventCommand(0x0F, device, vector)
    }
    mapDevice(device, isValid: false)
  }

  /// The device is given an ITT with room for one event more than it has vectors.
  func log2Events(_ shape: Shape) -> UInt64 {
    UInt64(max(1, Int.bitWidth - shape.allVectorsPerDevice.leadingZeroBitCount))
  }

  private mutating func mapDevice(_ device: Int, isValid: Bool) {
    let table = Self.tableBase + UInt64(device) << 16
    itsCommand(
      0x08, UInt64(streamID(device)) << 32, log2Events(shape) - 1,
      table | (isValid ? 1 << 63 : 0))
    submit(sync: false)
  }

  mutating func mapEvent(_ device: Int, _ vector: Int) {
    let fault = self.fault(vector)
    guard fault != .unmappedEvent else { return }
    let collection =
      fault == .unmappedCollection ? UInt64(shape.vcpus) : UInt64(target(device, vector).number)
    itsCommand(
      0x0A, UInt64(streamID(device)) << 32,
      UInt64(vector) | UInt64(intid(device, vector)) << 32, collection)
    submit()
    if fault == .disabled {
      emit(
        TraceEvent(
          time: 0, kind: .lpiConfiguration, word1: 0xA0,
          word3: pack(0, intid(device, vector)), target: target(device, vector)))
    }
  }

  /// DISCARD, CLEAR or INV.
  mutating func eventCommand(_ opcode: UInt64, _ device: Int, _ vector: Int) {
    itsCommand(opcode, UInt64(streamID(device)) << 32, UInt64(vector), 0)
    submit()
  }

  /// Message, then unmasked, then the LPI's configuration made known.
  private mutating func program(_ device: Int, _ vector: Int) {
    let (address, data) = message(vector)
    tableWrite(device, vector, word: 0, address & 0xFFFF_FFFF)
    tableWrite(device, vector, word: 1, address >> 32)
    tableWrite(device, vector, word: 2, UInt64(data))
    tableWrite(device, vector, word: 3, 0)
    let fault = self.fault(vector)
    if fault == nil || fault == .disabled { eventCommand(0x0C, device, vector) }
  }

  private mutating func tableWrite(_ device: Int, _ vector: Int, word: UInt32, _ value: UInt64) {
    let offset = UInt32(vector) * 16 + word * 4
    emit(
      .msixTableWrite(
        time: 0, streamID: streamID(device), deviceID: streamID(device),
        gpa: 0x1040_0000 + UInt64(device) << 16 + UInt64(offset), offset: offset, value: value))
    step()
  }

  private mutating func control(_ device: Int, enabled: Bool, masked: Bool) {
    emit(
      .msixControl(
        time: 0, streamID: streamID(device), deviceID: streamID(device), enabled: enabled,
        masked: masked))
    step()
  }

  /// An interrupt's affinity changes: one command on Arm, nothing at the device.
  mutating func move(_ device: Int, _ vector: Int, to vcpu: Int) {
    settle(device, vector)
    itsCommand(0x01, UInt64(streamID(device)) << 32, UInt64(vector), UInt64(vcpu))
    vectors[vectorIndex(device, vector)].target = UInt16(vcpu)
    submit()
  }
}
