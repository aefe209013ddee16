/// Tables far larger than the caches, and how cost grows towards them.
enum FarSections {
  static let deviceCounts: [UInt32] = [1, 16, 256, 4_096, 65_536]
  static let eventCounts: [UInt32] = [1, 16, 128, 2_048]

  static func tables() -> (surface: Table, far: Table) {
    var surface = Table(
      "MSI by devices × events (ns, median): hit / miss",
      columns: ["devices"] + eventCounts.map { "\($0) events" })
    surface.notes = [
      "Hit: up to 512 of the table's events, again and again. Miss: MSIs from anywhere in the table.",
      "In batches without looking ahead; pages of 4 KiB.",
    ]
    var far = Table(
      "MSI from anywhere in 65,536 devices × 2,048 events (ns)",
      columns: [
        "pages", "one by one", "batch", "batch ahead", "ahead min", "one by one/ahead", "limit",
      ])
    far.notes = [
      "Medians, but for the minimum; the quotient is the median of paired ones and has to be at least 3."
    ]
    for devices in deviceCounts {
      var row = [Table.Cell.count(UInt64(devices))]
      for events in eventCounts {
        var its = MappedITS(devices: devices, events: events, capacity: 2_048)
        let cell = cell(&its, samples: 24)
        row.append(.pair(cell.hit.median, cell.miss.median))
        if devices == 65_536 && events == 2_048 {
          far.rows.append(throughput("4 KiB", &its, samples: 600))
        }
      }
      surface.rows.append(row)
    }
    var its = MappedITS(devices: 65_536, events: 2_048, capacity: 2_048, hasHugePages: true)
    far.rows.append(throughput("2 MiB", &its, samples: 600))
    return (surface, far)
  }

  /// One by one, as a batch, and as a batch that looks ahead, in turns, each with MSIs of its own.
  private static func throughput(
    _ pages: String, _ its: inout MappedITS, samples: Int
  ) -> [Table.Cell] {
    var (single, batch, ahead) = (Samples(), Samples(), Samples())
    its.fillAtRandom()
    its.oneByOne()
    let digest = its.digest()
    its.acknowledge()
    its.batch(isFar: true)
    require(its.digest() == digest, "a batch that looks ahead and its MSIs one by one differ")
    its.acknowledge()
    for _ in 0..<samples {
      its.fillAtRandom()
      single.append(nanoseconds { its.oneByOne() }, of: its.count)
      its.acknowledge()
      its.fillAtRandom()
      batch.append(nanoseconds { its.batch() }, of: its.count)
      its.acknowledge()
      its.fillAtRandom()
      ahead.append(nanoseconds { its.batch(isFar: true) }, of: its.count)
      its.acknowledge()
    }
    return [
      .text(pages), .figure(single.median), .figure(batch.median), .figure(ahead.median),
      .figure(ahead.minimum), .figure(single.ratio(to: ahead)), .figure(3),
    ]
  }

  /// For a small table, hit and miss are the same.
  private static func cell(_ its: inout MappedITS, samples: Int) -> (hit: Samples, miss: Samples) {
    var (hit, miss) = (Samples(), Samples())
    its.fillAtRandom(limit: 512)
    for _ in 0..<samples * 4 {
      let time = nanoseconds { its.batch() }
      its.acknowledge()
      hit.append(time, of: its.count)
    }
    hit.dropFirst(samples)
    for _ in 0..<samples {
      its.fillAtRandom()
      miss.append(nanoseconds { its.batch() }, of: its.count)
      its.acknowledge()
    }
    return (hit, miss)
  }
}
