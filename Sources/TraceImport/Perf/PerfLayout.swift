/// What a perf.data says about itself: byte order, attributes, event formats, and where its records
/// are.
///
/// Format: linux, tools/perf/Documentation/perf.data-file-format.txt, and struct perf_file_header in
/// tools/perf/util/header.h.
struct PerfLayout {
  static let magic = Array("PERFILE2".utf8)
  /// The same word of a machine of the other byte order.
  static let swappedMagic: [UInt8] = magic.reversed()
  /// Bytes of the head that a pipe starts with: magic and its own size.
  static var pipeHeadSize: UInt64 { 16 }

  private(set) var attributes: [PerfAttribute] = []
  /// Attribute by the id that the kernel gave to the event on one CPU.
  private(set) var identifiers: [UInt64: Int] = [:]
  private(set) var formats: TracefsFormats?
  /// The records of a file.
  private(set) var data: Range<UInt64> = 0..<0
  /// The head says no size: the recorder did not come to its end.
  private(set) var isUnfinished = false

  private static let attributeLimit = 1 << 16
  private static let identifierLimit = 1 << 20
  /// Feature 1 is the tracing data (HEADER_TRACING_DATA).
  private static let tracingDataFeature: UInt64 = 1

  /// What a pipe's records will say.
  init() {}

  /// Whether the bytes are the start of a perf.data, and in which byte order.
  static func isBigEndian(_ head: some Sequence<UInt8>) -> Bool? {
    if head.starts(with: magic) { return false }
    return head.starts(with: swappedMagic) ? true : nil
  }

  /// Reads the head of a file, in whose byte order `file` must already be.
  ///
  /// u64 magic, size, attribute size; sections (u64 offset, size) attributes, data, event types; 256
  /// feature bits. Behind the data stands a section for each set feature.
  init(_ file: borrowing CaptureFile) throws(ImportError) {
    let head = try file.read(104, at: 0, "head of a perf.data")
    func number(_ index: Int) -> UInt64 { head.number(at: 8 * index, size: 8) ?? 0 }
    guard number(1) == 104 else {
      throw file.malformed(
        "head of a perf.data", at: 8, expected: "104 bytes", found: "\(number(1))")
    }
    try readAttributes(file, size: number(2), at: number(3), bytes: number(4))
    let (offset, size) = (number(5), number(6))
    isUnfinished = size == 0
    guard offset <= file.size else {
      throw file.malformed(
        "data section", at: 40, expected: "an offset in \(file.size) bytes", found: "\(offset)")
    }
    let end = isUnfinished ? file.size : min(offset.addingClamped(size), file.size)
    data = offset..<end
    guard !isUnfinished, number(9) >> Self.tracingDataFeature & 1 != 0 else { return }
    try readTracingData(file, index: number(9) & 1, at: offset.addingClamped(size))
  }

  private mutating func readAttributes(
    _ file: borrowing CaptureFile, size: UInt64, at offset: UInt64, bytes: UInt64
  ) throws(ImportError) {
    // Each entry is an attribute and the section of its ids.
    let least = UInt64(PerfAttribute.leastSize) + 16
    guard size >= least, size <= 4096, bytes / size <= UInt64(Self.attributeLimit) else {
      throw file.malformed(
        "attributes", at: 16,
        expected: "entries of \(least) to 4096 bytes, at most "
          + "\(Self.attributeLimit)", found: "\(bytes) bytes in entries of \(size)")
    }
    let table = try file.read(bytes, at: offset, "attributes")
    for index in 0..<Int(bytes / size) {
      let start = index * Int(size)
      guard let attribute = PerfAttribute(table, at: start, size: Int(size) - 16),
        let place = table.number(at: start + Int(size) - 16, size: 8),
        let count = table.number(at: start + Int(size) - 8, size: 8)
      else { continue }
      let ids = try file.read(count, at: place, "ids of attribute \(index)")
      add(attribute, ids, in: 0..<ids.count)
    }
  }

  private mutating func readTracingData(
    _ file: borrowing CaptureFile, index: UInt64, at table: UInt64
  ) throws(ImportError) {
    // The sections stand in the order of their bits; bit 0 is none.
    let entry = try file.read(16, at: table.addingClamped(16 * index), "feature sections")
    let offset = entry.number(at: 0, size: 8) ?? 0
    let size = entry.number(at: 8, size: 8) ?? 0
    let bytes = try file.read(size, at: offset, "tracing data")
    guard readTracingData(bytes) else {
      throw file.malformed(
        "tracing data", at: offset, expected: "17 08 44 'tracing' and event formats",
        found: "other content")
    }
  }

  // MARK: What a pipe has in records

  /// An attribute and its ids.
  mutating func add(_ attribute: PerfAttribute, _ bytes: OrderedBytes, in ids: Range<Int>) {
    guard attributes.count < Self.attributeLimit else { return }
    attributes.append(attribute)
    var offset = ids.lowerBound
    while offset + 8 <= ids.upperBound, identifiers.count < Self.identifierLimit {
      identifiers[bytes.number(at: offset, size: 8) ?? 0] = attributes.count - 1
      offset += 8
    }
  }

  /// "17 08 44 tracing", version, byte order, long size, page size, and the pieces of a trace.dat of
  /// version 6 (linux, tools/perf/util/trace-event-read.c).
  mutating func readTracingData(_ bytes: OrderedBytes) -> Bool {
    guard bytes.bytes.starts(with: DatLayout.magic) else { return false }
    var head = OrderedCursor(bytes)
    guard head.skip(DatLayout.magic.count), head.string() != nil, let order = head.number(1)
    else { return false }
    var cursor = OrderedCursor(OrderedBytes(bytes.bytes, isBigEndian: order == 1))
    // Byte order, long size and page size.
    guard cursor.skip(head.offset + 5) else { return false }
    var formats = TracefsFormats()
    guard formats.readHeaders(&cursor), formats.readFtraceEvents(&cursor),
      formats.readEventFormats(&cursor)
    else { return false }
    // Kernel symbols and printk formats; command lines only from version 0.6 on.
    for _ in 0..<2 {
      guard let size = cursor.size(4), cursor.skip(size) else { return false }
    }
    if cursor.remaining > 0 { _ = formats.readCommands(&cursor) }
    self.formats = formats
    return true
  }
}
