import Glibc

/// Event names (or first words of messages) → what to do, and the tally of their lines.
///
/// Open addressing on a hash of the name's length, first and last eight bytes; the whole name is
/// compared, so a hash collision costs a step and never an error. Names that were not listed are
/// added as they come, up to `capacity`; what comes after that shares one last row. Lookup is O(1)
/// and allocates nothing.
@safe
struct NameTable: ~Copyable {
  struct Row {
    var used: UInt64 = 0
    var ignored: UInt64 = 0
    var notUnderstood: UInt64 = 0
    var firstLine: UInt64 = 0
    var firstNotUnderstoodLine: UInt64 = 0
    var action: LineAction
    var reason: IgnoredReason
    var opcode: UInt8 = 0
    fileprivate var length: UInt8 = 0
    /// Order of first appearance, 0 if the name did not occur yet.
    fileprivate var appearance: UInt32 = 0

    init(action: LineAction, reason: IgnoredReason, opcode: UInt8 = 0) {
      self.action = action
      self.reason = reason
      self.opcode = opcode
    }
  }

  /// Longest name; QEMU's longest is 60 bytes.
  static var nameLimitBytes: Int { 64 }
  /// Rows, without the shared last one.
  static var capacity: Int { 1024 }
  private static var slotCount: Int { 4096 }

  // Safety: three allocations of fixed size that this struct alone owns. `slots` holds row number
  // plus one, or 0; a row number is below `rowCount` ≤ `capacity` + 1, and row r's name stands in
  // `names` at r × `nameLimitBytes`, of
  // which only the row's `length` bytes are written and read.
  private let rows: UnsafeMutablePointer<Row>
  private let names: UnsafeMutablePointer<UInt8>
  private let slots: UnsafeMutablePointer<UInt16>
  private var rowCount = 0
  private var appearances: UInt32 = 0

  init() {
    unsafe rows = .allocate(capacity: Self.capacity + 1)
    unsafe names = .allocate(capacity: (Self.capacity + 1) * Self.nameLimitBytes)
    unsafe slots = .allocate(capacity: Self.slotCount)
    unsafe slots.initialize(repeating: 0, count: Self.slotCount)
  }

  deinit {
    unsafe rows.deallocate()
    unsafe names.deallocate()
    unsafe slots.deallocate()
  }

  @inline(__always)
  subscript(row: Int) -> Row {
    get {
      precondition(row < rowCount)
      return unsafe rows[row]
    }
    _modify {
      precondition(row < rowCount)
      yield unsafe &rows[row]
    }
  }

  /// The row of a name of 1…`nameLimitBytes` bytes, if it is known.
  @inline(__always)
  mutating func row(_ name: LineText, line: UInt64) -> Int? {
    let slot = find(name)
    let entry = unsafe Int(slots[slot])
    guard entry != 0 else { return nil }
    noteAppearance(entry - 1, line)
    return entry - 1
  }

  /// Adds a name that is not known; once the table is full, all of them share one row.
  mutating func add(_ name: LineText, _ row: Row, line: UInt64) -> Int {
    let index = add(name, slot: find(name), row)
    noteAppearance(index, line)
    return index
  }

  mutating func insert(_ entry: EventCatalogue.Entry) {
    // Safety: a StaticString's bytes live for ever; `hash` loads words only below its length.
    let name = unsafe LineText(
      base: entry.name.utf8Start, count: entry.name.utf8CodeUnitCount)
    _ = add(
      name, slot: find(name),
      Row(action: entry.action, reason: entry.reason, opcode: entry.opcode))
  }

  /// The slot of a name, or the empty one where it would go.
  @inline(__always)
  private func find(_ name: LineText) -> Int {
    var slot = Self.hash(name)
    while true {
      let entry = unsafe Int(slots[slot])
      if entry == 0 { return slot }
      if unsafe rows[entry - 1].length == UInt8(name.count), isSame(name, entry - 1) { return slot }
      slot = (slot + 1) & (Self.slotCount - 1)
    }
  }

  private mutating func add(_ name: LineText, slot: Int, _ row: Row) -> Int {
    let isFull = rowCount >= Self.capacity
    let index = min(rowCount, Self.capacity)
    if isFull && rowCount > Self.capacity { return index }
    var row = row
    let name = isFull ? Self.overflowName : name
    row.length = UInt8(name.count)
    unsafe (rows + index).initialize(to: row)
    for offset in 0..<name.count {
      unsafe names[index * Self.nameLimitBytes + offset] = name[offset]
    }
    rowCount += 1
    if !isFull { unsafe slots[slot] = UInt16(index + 1) }
    return index
  }

  /// The row that all names share once the table is full.
  private static var overflowName: LineText {
    let text: StaticString = "(further names)"
    return unsafe LineText(base: text.utf8Start, count: text.utf8CodeUnitCount)
  }

  @inline(__always)
  private mutating func noteAppearance(_ row: Int, _ line: UInt64) {
    if unsafe rows[row].appearance == 0 {
      appearances += 1
      unsafe rows[row].appearance = appearances
      unsafe rows[row].firstLine = line
    }
  }

  @inline(__always)
  private func isSame(_ name: LineText, _ row: Int) -> Bool {
    unsafe name.withBytes { bytes in
      guard let start = bytes.baseAddress else { return true }
      return unsafe memcmp(start, names + row * Self.nameLimitBytes, bytes.count) == 0
    }
  }

  @inline(__always)
  private static func hash(_ name: LineText) -> Int {
    var first: UInt64
    var last: UInt64 = 0
    if name.count >= 8 {
      first = name.word(at: 0)
      last = name.word(at: name.count - 8)
    } else {
      first = 0
      for index in 0..<name.count { first = first &<< 8 | UInt64(name[index]) }
    }
    var mixed = first ^ (last &<< 23 | last &>> 41) ^ UInt64(name.count)
    mixed = mixed &* 0x9E37_79B9_7F4A_7C15
    return Int(mixed &>> 52)
  }

  /// Every name that occurred with its row, in the order of first appearance.
  func occurring() -> [(name: String, row: Row)] {
    var found: [(name: String, row: Row)] = []
    for index in 0..<rowCount where unsafe rows[index].appearance > 0 {
      let row = unsafe rows[index]
      let bytes = unsafe UnsafeBufferPointer(
        start: names + index * Self.nameLimitBytes, count: Int(row.length))
      // A message's first word may hold anything; a report is for terminals.
      let printable = unsafe bytes.map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
      found.append((String(decoding: printable, as: UTF8.self), row))
    }
    return found.sorted { $0.row.appearance < $1.row.appearance }
  }
}
