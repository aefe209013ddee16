import EventModel

/// Events of a handmade guest: four PEs, one vITS, devices behind one SMMU.
struct GuestScript {
  static let doorbellIOVA: UInt64 = 0xFFFF_F040
  var events: [TraceEvent] = []
  private var time: UInt64 = 0

  static var geometry: TableGeometry {
    var geometry = TableGeometry()
    geometry.peCount = 4
    geometry.intidBits = 14
    geometry.deviceIDBits = 10
    geometry.eventIDBits = 8
    return geometry
  }

  private mutating func next() -> UInt64 {
    time += 100
    return time
  }
  mutating func append(_ event: TraceEvent) {
    var event = event
    event.time = next()
    events.append(event)
  }

  // MARK: SMMU

  /// A stream with a stage 1 of its own, and the doorbell in it.
  mutating func attach(_ device: UInt32, mapsDoorbell: Bool = true) {
    var configuration = StreamConfiguration()
    configuration.config = 5
    configuration.asid = UInt16(device)
    configuration.ttb0 = 0x5000_0000 + UInt64(device) << 16
    append(configuration.event(time: 0, streamID: device))
    if mapsDoorbell { mapDoorbell(device) }
  }

  /// The leaf that Linux makes for an MSI page, from a recorded walk.
  mutating func mapDoorbell(
    _ device: UInt32, iova: UInt64 = 0xFFFF_F000, output: UInt64 = 0x809_0000
  ) {
    append(
      .map(
        time: 0, streamID: device, asid: UInt16(device), iova: iova, outputAddress: output,
        log2SizeBytes: 12, level: 3, granule: .kib4, descriptor: 0x0060_0000_0809_0E4B))
  }

  mutating func mapMemory(_ device: UInt32, iova: UInt64, output: UInt64) {
    append(
      .map(
        time: 0, streamID: device, asid: UInt16(device), iova: iova, outputAddress: output,
        log2SizeBytes: 12, level: 3, granule: .kib4, descriptor: 0x00E0_0000_0000_0F4F))
  }

  mutating func dma(_ device: UInt32, _ iova: UInt64) {
    append(.dma(time: 0, streamID: device, iova: iova, sizeBytes: 64, flags: .write))
  }

  // MARK: ITS commands (IHI 0069, §5.3)

  mutating func command(_ opcode: UInt64, _ dw0: UInt64, _ dw1: UInt64 = 0, _ dw2: UInt64 = 0) {
    append(.itsCommand(time: 0, opcode | dw0, dw1, dw2))
  }
  mutating func sync(_ pe: UInt64 = 0) { command(0x05, 0, 0, pe << 16) }
  mutating func mapc(_ icid: UInt64, _ pe: UInt64, valid: Bool = true) {
    command(0x09, 0, 0, icid | pe << 16 | (valid ? 1 << 63 : 0))
    sync(min(pe, 3))
  }
  mutating func mapd(_ device: UInt32, bits: UInt64, valid: Bool = true) {
    let address = 0x4100_0000 + UInt64(device) << 16
    command(0x08, UInt64(device) << 32, bits - 1, address | (valid ? 1 << 63 : 0))
    sync()
  }
  mutating func mapti(_ device: UInt32, _ event: UInt32, _ intid: UInt32, _ icid: UInt64) {
    command(0x0A, UInt64(device) << 32, UInt64(event) | UInt64(intid) << 32, icid)
    sync()
  }
  mutating func movi(_ device: UInt32, _ event: UInt32, _ icid: UInt64) {
    command(0x01, UInt64(device) << 32, UInt64(event), icid)
    sync()
  }
  /// DISCARD, CLEAR, INT or INV.
  mutating func event(_ opcode: UInt64, _ device: UInt32, _ event: UInt32) {
    command(opcode, UInt64(device) << 32, UInt64(event))
    sync()
  }
  mutating func discard(_ device: UInt32, _ id: UInt32) { event(0x0F, device, id) }

  // MARK: MSI-X

  mutating func tableWrite(_ device: UInt32, offset: UInt32, _ value: UInt64) {
    append(
      .msixTableWrite(
        time: 0, streamID: device, deviceID: device, gpa: 0x1040_0000 + UInt64(offset),
        offset: offset, value: value))
  }
  /// As Linux programs a vector: masked, message, unmasked.
  mutating func program(
    _ device: UInt32, _ vector: UInt16, address: UInt64 = doorbellIOVA, data: UInt32
  ) {
    let base = UInt32(vector) * 16
    tableWrite(device, offset: base + 12, 1)
    tableWrite(device, offset: base, address & 0xFFFF_FFFF)
    tableWrite(device, offset: base + 4, address >> 32)
    tableWrite(device, offset: base + 8, UInt64(data))
    tableWrite(device, offset: base + 12, 0)
  }

  // MARK: Interrupts

  mutating func msi(
    _ device: UInt32, _ vector: UInt16, address: UInt64 = doorbellIOVA, data: UInt32
  ) {
    append(
      .msi(
        time: 0, streamID: device, deviceID: device, address: address, data: data, vector: vector))
  }
  mutating func acknowledge(_ target: InterruptTarget, _ intid: UInt32) {
    append(.acknowledge(time: 0, target: target, intid: intid))
  }
}
