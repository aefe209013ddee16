import EventModel
import ReferenceModel
import TestSupport
import Testing

@testable import TranslationCore

/// Writes around doorbells through both SMMUs and past both gates, while pages come and go.
@Suite struct DoorbellDifferentialTests {
  private static let frames: [UInt64] = [0x10_2F10_0000, 0x10_2E00_0000]

  @Test(arguments: [
    DoorbellPolicy.linuxWindow, .linuxIdentity, .nestedDoorbell(virtualPage: 0x0809_0000), .x86,
  ])
  func writesEndWhereTheReferenceSays(_ policy: DoorbellPolicy) throws {
    var random = SeededGenerator(seed: 11)
    var options = SMMUOptions()
    options.nested = policy.usesStage2
    options.guestMemory = 0x4000_0000..<0x6000_0000
    options.arenaLimitBytes = 16 << 20
    var core = SMMUCore(geometry: TableGeometry(), options: options)
    // Intermediate pages: two doorbell pages, a page of the first frame without a register, memory.
    let ipas: [UInt64] = [0x0809_0000, 0x0800_0000, 0x0808_1000, 0x4000_3000, 0x4123_4000]
    let pas = [Self.frames[0], Self.frames[1], Self.frames[0] + 0x1000]
    var plan = Stage2Plan()
    plan.vmid = 0
    plan.hostOffset = options.stage2Offset
    plan.doorbells = zip(ipas, pas).map { .init(ipa: $0, pa: $1) }
    var reference = SMMU(
      caches: .all,
      tables: TableBuilder(TableBuilder.Layout(), nesting: policy.usesStage2 ? plan : nil))
    if policy.usesStage2 {
      for (ipa, pa) in zip(ipas, pas) { core.mapStage2(ipa: ipa, pa: pa, log2SizeBytes: 12) }
    }
    var configuration = SMMUWorld.stream(8, t0sz: 25)
    core.configureStream(configuration)
    try reference.configure(configuration)
    configuration = SMMUWorld.stream(9, config: 0)
    core.configureStream(configuration)
    try reference.configure(configuration)

    let gate: DoorbellGate
    if case .hardwareReserved(let base, let length) = policy {
      gate = DoorbellGate(frames: Self.frames, interceptBase: base, interceptBytes: length)
    } else {
      gate = DoorbellGate(frames: Self.frames)
    }
    let iovas: [UInt64] = [0x0800_0000, 0x0801_0000, 0xFEE0_1000, 0xFFFF_F000, 0x1000]
    let outputs = policy.usesStage2 ? ipas : pas + ipas.suffix(2)
    var seen: [DoorbellArrival.Kind: Int] = [:]
    for step in 0..<SoakSize.events(perCase: 8_000) {
      let iova = iovas[Int(random.next() % 5)]
      if step % 16 == 0 {
        let event = SMMUWorld.unmap(iova)
        core.unmap(event)
        try reference.unmap(Self.forStream8(event))
        let command = SMMUCommandWord.invalidateVA(iova)
        core.command(command)
        try reference.command(command.0, command.1)
        if random.next() % 4 != 0 {
          let bits: UInt64 = random.next() % 6 == 0 ? SMMUWorld.readOnly : SMMUWorld.readWrite
          let page = SMMUWorld.page(iova, to: outputs[Int(random.next() % 5)], bits: bits)
          core.map(page)
          try reference.map(Self.forStream8(page))
        }
      }
      let offsets: [UInt64] = [0x40, 0x40, 0x40, 0x44, 0, random.next() & 0xFFF]
      let address = iova + offsets[Int(random.next() % 6)]
      let size = [4, 4, 2, 8][Int(random.next() % 4)] as UInt32
      let stream: UInt32 = random.next() % 16 == 0 ? 9 : 8
      let expected = policy.arrival(
        of: address, sizeBytes: size, streamID: stream, frames: Self.frames, through: &reference)
      let found = gate.write(streamID: stream, address: address, sizeBytes: size, through: &core)
      seen[found.kind, default: 0] += 1
      guard found == Self.arrival(expected, address) else {
        Issue.record("step \(step), address \(address): \(found), \(expected)")
        return
      }
    }
    let kinds: Set<DoorbellArrival.Kind> = [.translater, .otherRegister, .memory, .fault]
    #expect(
      Set(seen.filter { $0.value > 50 }.keys)
        == (policy.addressAuthor == .hardware ? kinds.union([.interrupt]) : kinds))
    #expect(core.refusals.total == 0)
  }

  private static func arrival(
    _ expected: DoorbellPolicy.Arrival, _ address: UInt64
  ) -> DoorbellArrival {
    switch expected {
    case .interrupt: DoorbellArrival(.interrupt, address)
    case .translater(let its): DoorbellArrival(.translater, UInt64(its))
    case .otherRegister(let its): DoorbellArrival(.otherRegister, UInt64(its))
    case .memory(let physical): DoorbellArrival(.memory, physical)
    case .fault(.smmuFault(0)): DoorbellArrival(.fault, UInt64(SMMUEvent.aborted))
    case .fault(let fault): DoorbellArrival(.fault, UInt64(fault.rawValue & 0x3F))
    }
  }

  /// The reference finds an address space by stream.
  private static func forStream8(_ event: TraceEvent) -> TraceEvent {
    var event = event
    event.word2 = event.word2 & ~0xFFFF_FFFF | 8
    return event
  }
}
