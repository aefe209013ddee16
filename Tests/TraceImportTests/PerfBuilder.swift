import CZstd

@testable import TraceImport

/// Writes small perf.data in either byte order, plain, compressed or as for a pipe, by the kernel's and
/// perf's own headers; the tracepoints' records are those of `DatBuilder`.
struct PerfBuilder {
  enum Form: CaseIterable {
    case file, compressed, pipe
  }

  /// Something that perf found in the buffer of a CPU.
  enum Item {
    case sample(cpu: Int, DatBuilder.Record)
    case lost(cpu: Int, time: UInt64, count: UInt64)
    case command(time: UInt64, process: UInt32, name: String)
    case endOfRound
  }

  var dat = DatBuilder()
  var form = Form.file
  /// Behind these come READ and CALLCHAIN if the sample type asks for them.
  var sampleType: UInt64 =
    PerfAttribute.Sample.identifier | PerfAttribute.Sample.ip | PerfAttribute.Sample.task
    | PerfAttribute.Sample.time | PerfAttribute.Sample.cpu | PerfAttribute.Sample.period
    | PerfAttribute.Sample.raw
  var readFormat: UInt64 = 0
  var items: [Item] = []

  private static let identifier: UInt64 = 77

  private func number(_ value: UInt64, _ size: Int) -> [UInt8] { dat.number(value, size) }

  // MARK: Records

  private func record(_ type: UInt64, _ content: [UInt8]) -> [UInt8] {
    number(type, 4) + number(0, 2) + number(UInt64(8 + content.count), 2) + content
  }

  private func has(_ bit: UInt64) -> Bool { sampleType & bit != 0 }

  private func sample(_ cpu: Int, _ event: DatBuilder.Record) -> [UInt8] {
    typealias Sample = PerfAttribute.Sample
    var bytes: [UInt8] = []
    if has(Sample.identifier) { bytes += number(Self.identifier, 8) }
    if has(Sample.ip) { bytes += number(0xFFFF_FFFF_8000_0000, 8) }
    if has(Sample.task) { bytes += number(UInt64(event.pid), 4) + number(UInt64(event.pid), 4) }
    if has(Sample.time) { bytes += number(event.time, 8) }
    if has(Sample.address) { bytes += number(0xAAAA, 8) }
    if has(Sample.id) { bytes += number(Self.identifier, 8) }
    if has(Sample.stream) { bytes += number(0xBBBB, 8) }
    if has(Sample.cpu) { bytes += number(UInt64(cpu), 4) + number(0, 4) }
    if has(Sample.period) { bytes += number(1, 8) }
    if has(Sample.read) { bytes += read() }
    if has(Sample.callChain) { bytes += number(2, 8) + number(0x1000, 8) + number(0x2000, 8) }
    if has(Sample.raw) {
      var data = dat.bytes(event)
      // Size and data together fill words of 8 bytes.
      while (data.count + 4) % 8 != 0 { data.append(0) }
      bytes += number(UInt64(data.count), 4) + data
    }
    return record(9, bytes)
  }

  /// Values of a group of two events, or of one.
  private func read() -> [UInt8] {
    let isGroup = readFormat & 8 != 0
    var bytes = isGroup ? number(2, 8) : number(5, 8)
    for bit in [UInt64(1), 2] where readFormat & bit != 0 { bytes += number(100, 8) }
    let rest = [UInt64(4), 16].filter { readFormat & $0 != 0 }.count
    if !isGroup { return bytes + [UInt8](repeating: 1, count: 8 * rest) }
    return bytes + [UInt8](repeating: 1, count: 2 * 8 * (1 + rest))
  }

  private func identity(_ cpu: Int, _ time: UInt64) -> [UInt8] {
    typealias Sample = PerfAttribute.Sample
    var bytes: [UInt8] = []
    if has(Sample.task) { bytes += number(1, 4) + number(1, 4) }
    if has(Sample.time) { bytes += number(time, 8) }
    if has(Sample.id) { bytes += number(Self.identifier, 8) }
    if has(Sample.stream) { bytes += number(0xBBBB, 8) }
    if has(Sample.cpu) { bytes += number(UInt64(cpu), 4) + number(0, 4) }
    if has(Sample.identifier) { bytes += number(Self.identifier, 8) }
    return bytes
  }

  private func bytes(_ item: Item) -> [UInt8] {
    switch item {
    case .sample(let cpu, let event): return sample(cpu, event)
    case .lost(let cpu, let time, let count):
      return record(2, number(Self.identifier, 8) + number(count, 8) + identity(cpu, time))
    case .command(let time, let process, let name):
      let text = Array(name.utf8) + [UInt8](repeating: 0, count: 16 - name.utf8.count)
      return record(
        3, number(UInt64(process), 4) + number(UInt64(process), 4) + text + identity(0, time))
    case .endOfRound: return record(68, [])
    }
  }

  // MARK: Files

  private var attribute: [UInt8] {
    let identityBit: UInt64 = dat.isBigEndian ? 1 << (63 - 18) : 1 << 18
    return number(2, 4) + number(112, 4) + number(101, 8) + number(1, 8) + number(sampleType, 8)
      + number(readFormat, 8) + number(identityBit, 8) + [UInt8](repeating: 0, count: 112 - 48)
  }

  func file() -> [UInt8] {
    let records = items.map(bytes)
    let magic = number(0x3245_4C49_4652_4550, 8)
    if form == .pipe {
      var data = dat.tracingData
      while data.count % 8 != 0 { data.append(0) }
      return magic + number(16, 8) + record(64, attribute + number(Self.identifier, 8))
        + record(66, number(UInt64(data.count), 4)) + data + records.flatMap { $0 }
    }
    // Head, two attributes of which one has no samples, ids, records, then the one feature.
    let headSize = 104
    let entrySize = 112 + 16
    let idsOffset = headSize + 2 * entrySize
    let dataOffset = idsOffset + 16
    let data = form == .compressed ? compressed(records.flatMap { $0 }) : records.flatMap { $0 }
    let tracingData = dat.tracingData
    var bytes = magic + number(UInt64(headSize), 8) + number(UInt64(entrySize), 8)
    bytes += number(UInt64(headSize), 8) + number(UInt64(2 * entrySize), 8)
    bytes += number(UInt64(dataOffset), 8) + number(UInt64(data.count), 8)
    bytes += number(0, 8) + number(0, 8)
    bytes += number(2, 8) + [UInt8](repeating: 0, count: 24)
    for index in 0..<2 {
      bytes += attribute + number(UInt64(idsOffset + 8 * index), 8) + number(8, 8)
    }
    bytes += number(Self.identifier, 8) + number(Self.identifier + 1, 8) + data
    bytes += number(UInt64(bytes.count + 16), 8) + number(UInt64(tracingData.count), 8)
    return bytes + tracingData
  }

  /// One zstd stream in records of some hundred plain bytes each, which records run across.
  private func compressed(_ plain: [UInt8]) -> [UInt8] {
    guard let stream = unsafe ZSTD_createCStream() else { fatalError("out of memory") }
    defer { _ = unsafe ZSTD_freeCStream(stream) }
    var records: [UInt8] = []
    for start in stride(from: 0, to: plain.count, by: 333) {
      let piece = Array(plain[start..<min(start + 333, plain.count)])
      var target = [UInt8](repeating: 0, count: 4096)
      var written = 0
      // Safety: both arrays outlive the call and their true sizes are passed.
      unsafe piece.withUnsafeBytes { source in
        unsafe target.withUnsafeMutableBytes { buffer in
          var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
          var output = unsafe ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
          _ = unsafe ZSTD_compressStream2(stream, &output, &input, ZSTD_e_flush)
          written = unsafe output.pos
        }
      }
      records += record(81, Array(target[..<written]))
    }
    return records
  }
}
