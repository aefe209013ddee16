import EventModel
import ReferenceModel
import Testing

/// The first translations of a recorded boot (QEMU 7.2, Linux 6.1: NVMe, virtio and network devices
/// behind an SMMUv3), with the emulator's own walks, invalidations, results and TLB hits.
@Suite struct SMMURecordingTests {
  /// One event a line, numbers in hexadecimal:
  ///
  ///     R               CFGI_ALL                 S stream        CFGI_STE
  ///     L               TLBI_NH_ALL              A asid          TLBI_NH_ASID
  ///     C stream asid TTB T0SZ                   the emulator read the stream's CD
  ///     M stream asid IOVA descriptor level      a walk met this leaf
  ///     I asid IOVA TG pages TTL leaf            TLBI_NH_VA
  ///     T stream IOVA address permission hit     a translation: read 1, write 2; TLB hit or not
  static let recording = """
    R
    L
    S 8
    S 8
    A 1
    C 8 1 4cf7f000 10
    M 8 1 fffff000 60000008090e4b 3
    T 8 fffff040 8090040 3 0
    S 10
    S 10
    A 2
    C 10 2 4cf79000 10
    M 10 2 fffff000 60000008090e4b 3
    T 10 fffff040 8090040 3 0
    S 100
    S 100
    S 100
    S 100
    S 100
    A 1
    C 100 1 4cf7f000 10
    M 100 1 ffffd000 4cce9f47 3
    T 100 ffffd000 4cce9000 3 0
    M 100 1 ffffc000 42fe6f47 3
    T 100 ffffc000 42fe6000 3 0
    M 100 1 ffffe000 4cceaf47 3
    T 100 ffffe000 4ccea000 3 0
    M 100 1 fffff000 60000008090e4b 3
    T 100 fffff040 8090040 3 0
    I 1 ffffc000 1 1 3 1
    T 100 ffffd040 4cce9040 3 1
    M 100 1 ffffc000 42fe3f47 3
    T 100 ffffc000 42fe3000 3 0
    T 100 ffffe010 4ccea010 3 1
    T 100 fffff040 8090040 3 1
    I 1 ffffc000 1 1 3 1
    T 100 ffffd080 4cce9080 3 1
    M 100 1 ffffc000 4cce6fc7 3
    T 100 ffffc000 4cce6000 1 0
    T 100 ffffe020 4ccea020 3 1
    T 100 fffff040 8090040 3 1
    I 1 ffffc000 1 1 3 1
    T 100 ffffd0c0 4cce90c0 3 1
    M 100 1 ffffc000 42fe9fc7 3
    T 100 ffffc800 42fe9800 1 0
    T 100 ffffe030 4ccea030 3 1
    T 100 fffff040 8090040 3 1
    I 1 ffffc000 1 1 3 1
    T 100 ffffd100 4cce9100 3 1
    M 100 1 ffffc000 42fe9f47 3
    T 100 ffffc800 42fe9800 3 0
    T 100 ffffe040 4ccea040 3 1
    T 100 fffff040 8090040 3 1
    I 1 ffffc000 1 1 3 1
    T 100 ffffd140 4cce9140 3 1
    T 100 ffffe050 4ccea050 3 1
    T 100 fffff040 8090040 3 1
    T 100 ffffd180 4cce9180 3 1
    T 100 ffffe060 4ccea060 3 1
    T 100 fffff040 8090040 3 1
    T 100 ffffd1c0 4cce91c0 3 1
    T 100 ffffe070 4ccea070 3 1
    T 100 fffff040 8090040 3 1
    T 100 ffffd200 4cce9200 3 1
    T 100 ffffe080 4ccea080 3 1
    T 100 fffff040 8090040 3 1
    T 100 ffffd240 4cce9240 3 1
    T 100 ffffe090 4ccea090 3 1
    T 100 fffff040 8090040 3 1
    T 100 ffffd280 4cce9280 3 1
    M 100 1 ffffc000 4cce5f47 3
    T 100 ffffc000 4cce5000 3 0
    T 100 ffffc004 4cce5004 3 1
    T 100 ffffc008 4cce5008 3 1
    T 100 ffffc00c 4cce500c 3 1
    T 100 ffffc010 4cce5010 3 1
    T 100 ffffc014 4cce5014 3 1
    M 100 1 ffffb000 4cce4f47 3
    T 100 ffffb000 4cce4000 3 0
    T 100 ffffc000 4cce5000 3 1
    T 100 ffffb004 4cce4004 3 1
    T 100 ffffc004 4cce5004 3 1
    T 100 ffffe0a0 4ccea0a0 3 1
    T 100 fffff040 8090040 3 1
    T 100 ffffc004 4cce5004 3 1
    T 100 ffffc000 4cce5000 3 1
    T 100 ffffc000 4cce5000 3 1
    T 100 ffffd2c0 4cce92c0 3 1
    T 100 ffffb000 4cce4000 3 1
    T 100 ffffc000 4cce5000 3 1
    T 100 ffffb004 4cce4004 3 1
    T 100 ffffc004 4cce5004 3 1
    T 100 ffffe0b0 4ccea0b0 3 1
    T 100 fffff040 8090040 3 1
    T 100 ffffc004 4cce5004 3 1
    T 100 ffffc000 4cce5000 3 1
    """

  @Test(arguments: [false, true])
  func everyTranslationAndEveryTLBHitIsTheRecordedOne(asGuest: Bool) throws {
    var plan: Stage2Plan?
    if asGuest {
      plan = Stage2Plan()
      plan?.doorbells = [.init(ipa: 0x0809_0000, pa: 0x6_0800_0000)]
    }
    let vmid: UInt16 = asGuest ? 1 : 0
    var smmu = SMMU(tables: TableBuilder(nesting: plan))
    var translations = 0
    for line in Self.recording.split(separator: "\n") {
      let fields = line.split(separator: " ")
      let n = fields.dropFirst().map { UInt64($0, radix: 16)! }
      switch fields[0] {
      case "R": try smmu.execute(.cfgiAll)
      case "L": try smmu.execute(.tlbiNHAll(vmid: vmid))
      case "S": try smmu.execute(.cfgiSTE(streamID: UInt32(n[0]), leaf: true))
      case "A": try smmu.execute(.tlbiNHASID(vmid: vmid, asid: UInt16(n[0])))
      case "C":
        var configuration = StreamConfiguration()
        configuration.asid = UInt16(n[1])
        configuration.ttb0 = n[2]
        configuration.t0sz = UInt8(n[3])
        configuration.ips = 4
        try smmu.configure(configuration.event(time: 0, streamID: UInt32(n[0])))
      case "M":
        let log2: UInt32 = n[4] == 3 ? 12 : 21
        try smmu.map(
          .map(
            time: 0, streamID: UInt32(n[0]), asid: UInt16(n[1]), iova: n[2],
            outputAddress: n[3] & 0xFFFF_FFFF_F000, log2SizeBytes: log2, level: UInt32(n[4]),
            granule: .kib4, descriptor: n[3]))
      case "I":
        #expect(n[3] == 1, "this excerpt invalidates page by page")
        let range = TLBIRange(n[1], leaf: n[5] == 1, tg: UInt8(n[2]), ttl: UInt8(n[4]))
        let command = SMMUCommand.tlbiNHVA(vmid: vmid, asid: UInt16(n[0]), range).dwords
        try smmu.command(command.0, command.1)
      default:
        translations += 1
        let result = smmu.translate(streamID: UInt32(n[0]), address: n[1], access: .read)
        #expect(result.address == smmu.physicalAddress(ofIntermediate: n[2]), "\(line)")
        #expect(result.translation?.tlbHit == (n[4] == 1), "\(line)")
        #expect(result.translation?.readable == true)
        #expect(result.translation?.writable == (n[3] & 2 == 2), "\(line)")
      }
    }
    #expect(translations == 62)
    #expect(smmu.counters.tlbMisses < UInt64(translations) && smmu.events.isEmpty)
  }
}
