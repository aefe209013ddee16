import EventModel
import ReferenceModel
import Testing

/// Every command, with the 32 bytes that the specification's diagrams give for these fields.
private let golden: [(ITSCommand, ITSCommandPacket, String)] = [
  (
    .mapd(DeviceID(8), size: 0, ittAddress: 0x42E0_C000, valid: true),
    ITSCommandPacket(0x0000_0008_0000_0008, 0, 0x8000_0000_42E0_C000),
    "MAPD DeviceID 0x8 Size 0x0 ITT_addr 0x42e0c000 V 1"
  ),
  (
    .mapd(DeviceID(0xFFFF_FFFF), size: 31, ittAddress: 0xF_FFFF_FFFF_FF00, valid: false),
    ITSCommandPacket(0xFFFF_FFFF_0000_0008, 0x1F, 0x000F_FFFF_FFFF_FF00),
    "MAPD DeviceID 0xffffffff Size 0x1f ITT_addr 0xfffffffffff00 V 0"
  ),
  (
    .mapc(icid: 3, rdBase: 2, valid: true),
    ITSCommandPacket(0x09, 0, 0x8000_0000_0002_0003), "MAPC ICID 0x3 RDbase 0x2 V 1"
  ),
  (
    .mapti(DeviceID(8), EventID(1), pINTID: INTID(0x2001), icid: 2),
    ITSCommandPacket(0x0000_0008_0000_000A, 0x0000_2001_0000_0001, 0x2),
    "MAPTI DeviceID 0x8 EventID 0x1 pINTID 0x2001 ICID 0x2"
  ),
  (
    .mapi(DeviceID(0x100), EventID(0x2005), icid: 0xABCD),
    ITSCommandPacket(0x0000_0100_0000_000B, 0x2005, 0xABCD),
    "MAPI DeviceID 0x100 EventID 0x2005 ICID 0xabcd"
  ),
  (
    .movi(DeviceID(8), EventID(0), icid: 1),
    ITSCommandPacket(0x0000_0008_0000_0001, 0, 1), "MOVI DeviceID 0x8 EventID 0x0 ICID 0x1"
  ),
  (
    .movall(from: 1, to: 3),
    ITSCommandPacket(0x0E, 0, 0x1_0000, 0x3_0000), "MOVALL RDbase1 0x1 RDbase2 0x3"
  ),
  (
    .int(DeviceID(8), EventID(5)), ITSCommandPacket(0x0000_0008_0000_0003, 5),
    "INT DeviceID 0x8 EventID 0x5"
  ),
  (
    .clear(DeviceID(8), EventID(5)), ITSCommandPacket(0x0000_0008_0000_0004, 5),
    "CLEAR DeviceID 0x8 EventID 0x5"
  ),
  (
    .discard(DeviceID(8), EventID(5)), ITSCommandPacket(0x0000_0008_0000_000F, 5),
    "DISCARD DeviceID 0x8 EventID 0x5"
  ),
  (
    .inv(DeviceID(8), EventID(5)), ITSCommandPacket(0x0000_0008_0000_000C, 5),
    "INV DeviceID 0x8 EventID 0x5"
  ),
  (.invall(icid: 7), ITSCommandPacket(0x0D, 0, 7), "INVALL ICID 0x7"),
  (.sync(rdBase: 0x80A), ITSCommandPacket(0x05, 0, 0x80A_0000), "SYNC RDbase 0x80a"),
  (
    .vmapp(.init(vPEID: 1, rdBase: 0, vptSize: 15, vptAddress: 0x4A30_0000)),
    ITSCommandPacket(0x29, 0x0000_0001_0000_0000, 0x8000_0000_0000_0000, 0x4A30_000F),
    """
    VMAPP vPEID 0x1 RDbase 0x0 V 1 VPT_addr 0x4a300000 VPT_size 0xf Alloc 0 PTZ 0 VCONF_addr 0x0 \
    Default_Doorbell 0x0
    """
  ),
  (
    .vmapp(
      .init(
        vPEID: 2, rdBase: 1, vptSize: 14, vptAddress: 0x5000_0000, allocate: true,
        pendingTableZero: true, configurationAddress: 0x6001_0000, defaultDoorbell: INTID(0x2003))),
    ITSCommandPacket(
      0x6001_0329, 0x0000_0002_0000_2003, 0x8000_0000_0001_0000, 0x5000_000E),
    """
    VMAPP vPEID 0x2 RDbase 0x1 V 1 VPT_addr 0x50000000 VPT_size 0xe Alloc 1 PTZ 1 VCONF_addr \
    0x60010000 Default_Doorbell 0x2003
    """
  ),
  (
    .vmapti(
      DeviceID(0x18), EventID(0), vPEID: 1, vINTID: INTID(0x2000), doorbell: INTID(0x2000)),
    ITSCommandPacket(0x0000_0018_0000_002A, 0x0000_0001_0000_0000, 0x0000_2000_0000_2000),
    "VMAPTI DeviceID 0x18 EventID 0x0 vPEID 0x1 vINTID 0x2000 Dbell_pINTID 0x2000"
  ),
  (
    .vmapi(DeviceID(0x18), EventID(0x2001), vPEID: 3, doorbell: .spurious),
    ITSCommandPacket(0x0000_0018_0000_002B, 0x0000_0003_0000_2001, 0x0000_03FF_0000_0000),
    "VMAPI DeviceID 0x18 EventID 0x2001 vPEID 0x3 Dbell_pINTID 0x3ff"
  ),
  (
    .vmovi(DeviceID(0x18), EventID(2), vPEID: 1, doorbellValid: true, doorbell: INTID(0x2001)),
    ITSCommandPacket(0x0000_0018_0000_0021, 0x0000_0001_0000_0002, 0x0000_2001_0000_0001),
    "VMOVI DeviceID 0x18 EventID 0x2 vPEID 0x1 D 1 Dbell_pINTID 0x2001"
  ),
  (
    .vmovp(
      .init(
        vPEID: 1, rdBase: 1, sequenceNumber: 0x1234, itsList: 0x5, doorbellValid: true,
        defaultDoorbell: INTID(0x2004))),
    ITSCommandPacket(
      0x0000_1234_0000_0022, 0x0000_0001_0000_0005, 0x8000_0000_0001_0000, 0x2004),
    "VMOVP vPEID 0x1 RDbase 0x1 SequenceNumber 0x1234 ITSList 0x5 DB 1 Default_Doorbell 0x2004"
  ),
  (.vinvall(vPEID: 0xFFFF), ITSCommandPacket(0x2D, 0x0000_FFFF_0000_0000), "VINVALL vPEID 0xffff"),
  (.vsync(vPEID: 1), ITSCommandPacket(0x25, 0x0000_0001_0000_0000), "VSYNC vPEID 0x1"),
  (.invdb(vPEID: 1), ITSCommandPacket(0x2E, 0x0000_0001_0000_0000), "INVDB vPEID 0x1"),
  (
    .vsgi(.init(vPEID: 4, sgi: 15, enable: true, clear: true, group: true, priority: 0xA0)),
    ITSCommandPacket(0x0000_000F_00A0_0723, 0x0000_0004_0000_0000),
    "VSGI vPEID 0x4 INTID 0xf Priority 0xa0 En 1 Clear 1 Group 1"
  ),
]

@Suite struct ITSCommandTests {
  @Test func everyOpcodeHasAGoldenVector() {
    #expect(Set(golden.map(\.0.opcode)) == Set(ITSCommand.Opcode.allCases))
  }

  @Test func everyCommandEncodesToItsGoldenBits() {
    for (command, packet, _) in golden { #expect(command.packet == packet, "\(command)") }
  }

  @Test func everyGoldenPacketDecodesToItsCommand() throws {
    for (command, packet, _) in golden { #expect(try ITSCommand(packet) == command) }
  }

  @Test func everyCommandHasItsTextForm() {
    for (command, _, text) in golden { #expect(command.description == text) }
  }

  @Test func bytesAreLittleEndian() {
    let bytes = ITSCommand.mapti(DeviceID(8), EventID(1), pINTID: INTID(0x2001), icid: 2)
      .packet.bytes
    #expect(bytes.count == 32)
    #expect(Array(bytes[0..<16]) == [0x0A, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0x01, 0x20, 0, 0])
    #expect(bytes[16] == 2 && bytes[17...].allSatisfy { $0 == 0 })
  }

  /// Bits that the diagrams mark RES0: how many are fields, counted by hand from the specification.
  @Test(arguments: [
    (ITSCommand.Opcode.mapd, 32, 5, 44 + 1, 0), (.mapc, 0, 0, 16 + 36 + 1, 0),
    (.mapti, 32, 64, 16, 0), (.mapi, 32, 32, 16, 0), (.movi, 32, 32, 16, 0),
    (.movall, 0, 0, 36, 36), (.int, 32, 32, 0, 0), (.clear, 32, 32, 0, 0),
    (.discard, 32, 32, 0, 0), (.inv, 32, 32, 0, 0), (.invall, 0, 0, 16, 0), (.sync, 0, 0, 36, 0),
    (.vmapp, 2 + 36, 32 + 16, 36 + 1, 5 + 36), (.vmapti, 32, 32 + 16, 64, 0),
    (.vmapi, 32, 32 + 16, 32, 0), (.vmovi, 32, 32 + 16, 1 + 32, 0),
    (.vmovp, 16, 16 + 16, 36 + 1, 32), (.vinvall, 0, 16, 0, 0), (.vsync, 0, 16, 0, 0),
    (.invdb, 0, 16, 0, 0), (.vsgi, 3 + 4 + 4, 16, 0, 0),
  ])
  func reservedBitsAreAllThatIsNoField(
    _ opcode: ITSCommand.Opcode, _ dw0: Int, _ dw1: Int, _ dw2: Int, _ dw3: Int
  ) {
    let ones = ITSCommandPacket(
      ~0xFF | UInt64(opcode.rawValue), UInt64.max, UInt64.max, UInt64.max)
    let reserved = ones.reservedBits.words.map(\.nonzeroBitCount)
    #expect(reserved == [56 - dw0, 64 - dw1, 64 - dw2, 64 - dw3])
  }

  @Test func reservedBitsAreIgnoredButNoticed() throws {
    for (command, packet, _) in golden {
      var dirty = packet
      dirty.dw3 |= 0xF << 60
      #expect(try ITSCommand(dirty) == command)
      #expect(dirty.reservedBits == ITSCommandPacket(0, 0, 0, 0xF << 60))
      #expect(packet.reservedBits == ITSCommandPacket())
    }
  }

  @Test func everyOtherOpcodeIsRefused() {
    for code in UInt8.min...UInt8.max where ITSCommand.Opcode(rawValue: code) == nil {
      #expect(throws: ITSError(.unknownCommand, code)) {
        try ITSCommand(ITSCommandPacket(UInt64(code)))
      }
    }
  }

  @Test func versionsOfTheCommandsAreThoseOfTheArchitecture() {
    let v3 = ITSCommand.Opcode.allCases.filter { $0.introduced == .v3 }
    let v41 = ITSCommand.Opcode.allCases.filter { $0.introduced == .v4_1 }
    #expect(v3.count == 12 && v3.allSatisfy { $0.rawValue < 0x20 })
    #expect(v41 == [.vsgi, .invdb])
  }
}
