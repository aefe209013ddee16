import EventModel
import TranslationCore

/// Tables at hand: one MSI, and one DMA access that hits the TLB.
enum HotSections {
  /// 512 interrupts that are raised in a batch and then acknowledged, over and over; in Swift and in C,
  /// on the same tables, in turns.
  static func interrupts(samples: Int) -> Table {
    var its = MappedITS(devices: 8, events: 64, capacity: 512)
    its.fillWithEach()
    var batch = Pair()
    var acknowledge = Pair()
    var single = Samples()
    for _ in 0..<samples {
      let digest = round(
        &its, &batch.swift, &acknowledge.swift, raise: { $0.batch() },
        acknowledge: { $0.acknowledge() })
      let twin = round(
        &its, &batch.c, &acknowledge.c, raise: { $0.batchInC() },
        acknowledge: { $0.acknowledgeInC() })
      var ignored = Samples()
      let other = round(
        &its, &single, &ignored, raise: { $0.oneByOne() }, acknowledge: { $0.acknowledge() })
      require(its.delivered() == its.count, "an interrupt was pending still")
      require(digest == twin, "Swift and C differ")
      require(digest == other, "a batch and its MSIs one by one differ")
    }
    var table = Table(
      "MSI, tables at hand: (DeviceID, EventID) to vPE, vINTID and pending bit",
      columns: ["way", "ns min", "ns median", "M/s", "C ns min", "Swift/C", "limit ns"])
    table.rows = [
      row("batch", batch.swift, batch.c, limit: 3.5),
      row("acknowledge", acknowledge.swift, acknowledge.c, limit: nil),
      row("one by one", single, nil, limit: nil),
    ]
    table.notes = [
      "M/s from the minimum; Swift/C is the median of paired ratios (limit 1.05).",
      "The C twin is built as SwiftPM builds C in a release: clang -O2.",
    ]
    return table
  }

  private struct Pair {
    var swift = Samples()
    var c = Samples()
  }

  /// A sample: sixteen times raised and acknowledged. Returns the digest of the last.
  private static func round(
    _ its: inout MappedITS, _ raises: inout Samples, _ acknowledges: inout Samples,
    raise: (inout MappedITS) -> Void, acknowledge: (inout MappedITS) -> Void
  ) -> UInt64 {
    let times = 16
    var (raised, acknowledged) = (UInt64(0), UInt64(0))
    for _ in 0..<times {
      raised += nanoseconds { raise(&its) }
      acknowledged += nanoseconds { acknowledge(&its) }
    }
    raises.append(raised, of: its.count * times)
    acknowledges.append(acknowledged, of: its.count * times)
    return its.digest()
  }

  private static func row(
    _ name: String, _ samples: Samples, _ twin: Samples?, limit: Double?
  ) -> [Table.Cell] {
    [
      .text(name), .figure(samples.minimum), .figure(samples.median),
      .figure(1_000 / samples.minimum), .figure(twin?.minimum ?? .nan),
      .figure(twin.map { samples.ratio(to: $0) } ?? .nan), .figure(limit ?? .nan),
    ]
  }

  /// Eight devices of 32 pages each behind both stages: after the first round every access hits.
  static func accesses(samples: Int) -> Table {
    var smmu = SMMUCore(geometry: TableGeometry(), options: SMMUOptions())
    for device in 0..<8 as Range<UInt32> {
      let asid = UInt16(device + 1)
      var stream = StreamConfiguration()
      stream.asid = asid
      stream.ttb0 = UInt64(asid) << 12
      smmu.configureStream(stream.event(time: 0, streamID: device))
      for page in 0..<UInt64(32) {
        smmu.map(
          .map(
            time: 0, streamID: device, asid: asid, iova: 0xFFFF_0000 - page << 12,
            outputAddress: 0x4000_0000 + UInt64(device) << 20 + page << 12, log2SizeBytes: 12,
            level: 3, granule: .kib4, descriptor: 0xF47))
      }
    }
    var random = SplitMix64(seed: 1)
    let accesses = (0..<4_096).map { _ in
      let pick = random.next()
      return Access(
        streamID: UInt32(pick & 7), need: pick >> 16 & 1 + 1,
        address: 0xFFFF_0000 - (pick >> 8 & 31) << 12 + pick >> 20 & 0xFFC)
    }
    var times = Samples()
    var faults = run(&smmu, accesses)
    var before = WorkCounters()
    smmu.addCounters(to: &before)
    for _ in 0..<samples {
      times.append(nanoseconds { faults &+= run(&smmu, accesses) }, of: accesses.count)
    }
    var after = WorkCounters()
    smmu.addCounters(to: &after)
    require(faults == 0 && after.tlbMisses == before.tlbMisses, "an access missed the TLB")
    var table = Table(
      "DMA, nested translation, TLB hit", columns: ["ns min", "ns median", "limit ns", "of limit"])
    table.rows = [
      [
        .figure(times.minimum), .figure(times.median), .figure(4.5), .figure(times.median / 4.5),
      ]
    ]
    return table
  }

  private struct Access {
    var streamID: UInt32
    var need: UInt64
    var address: UInt64
  }

  /// Number of accesses that faulted or went nowhere.
  @inline(never)
  private static func run(_ smmu: inout SMMUCore, _ accesses: [Access]) -> Int {
    var faults = 0
    for access in accesses {
      let found = smmu.translate(
        streamID: access.streamID, address: access.address, need: access.need)
      if found.fault != 0 || found.address == 0 { faults &+= 1 }
    }
    return faults
  }
}
