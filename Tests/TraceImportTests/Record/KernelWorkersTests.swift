import EventModel
import Glibc
import Testing

@testable import TraceImport

/// A probe of KVM's injection means another thing in a kernel worker: what it does there was counted.
@Suite struct KernelWorkersTests {
  private static let processes = TracefsFolder(path: "/proc")

  /// A kernel worker of this machine; a container may show none.
  private static let worker: Int32? = processes.names(".").compactMap { Int32($0) }.first {
    (try? processes.text("\($0)/comm"))?.hasPrefix("kworker") == true
  }

  private static let format = """
    name: my_inject
    ID: 1400
    format:
    \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
    \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

    \tfield:u32 addr_lo;\toffset:8;\tsize:4;\tsigned:0;
    \tfield:u32 addr_hi;\toffset:12;\tsize:4;\tsigned:0;
    \tfield:u32 data;\toffset:16;\tsize:4;\tsigned:0;
    \tfield:u32 devid;\toffset:20;\tsize:4;\tsigned:0;

    """

  private static func record(of process: Int32) -> OrderedBytes {
    let words: [UInt32] = [1400, UInt32(bitPattern: process), 0x808_0040, 0, 3, 8]
    let bytes = words.flatMap { word in
      (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) }
    }
    return OrderedBytes(bytes, isBigEndian: false)
  }

  @Test(.enabled(if: worker != nil, "no kernel worker in /proc"))
  func whatAWorkerInjectsIsCountedOnce() throws {
    var formats = TracefsFormats()
    formats.readFormat(Self.format)
    #expect(formats.needsWorkers)
    var reader = TracefsRecordReader(origin: .host)
    reader.use(formats)
    var workers = KernelWorkers(areNeeded: formats.needsWorkers)
    workers.update(&reader)
    let worker = try #require(Self.worker)
    for (time, process) in [(1, getpid()), (2, worker)] {
      let bytes = Self.record(of: process)
      reader.read(bytes, at: 0, size: bytes.count, time: UInt64(time), cpu: 0)
    }
    var events: [TraceEvent] = []
    reader.drain { span in for index in span.indices { events.append(span[index]) } }
    #expect(events.map(\.time) == [1])
    #expect(events.first?.kind == .msi && events.first?.deviceID == 8)
    let report = reader.report()
    #expect(report.usedLines == 1 && report.ignoredLines == 1)
  }

  @Test func eventsThatNeedNoWorkersDoNotLookForThem() throws {
    #expect(try !RecordedRing.formats().needsWorkers)
  }
}
