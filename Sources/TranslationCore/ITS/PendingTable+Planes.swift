import EventModel

// Planes by number, 1…planeCount, and the configuration tables that they are read from. Redistributors
// share one table, and so may the vPEs of one machine; a plane's table can be bound to it.

extension PendingTable {
  /// Where the states of a plane begin, in bytes.
  func plane(number: Int) -> Int { Int(count) * 2 * number }

  func place(_ intid: UInt32, inPlane number: Int) -> Int { plane(number: number) + Int(intid) * 2 }

  func planeNumber(of place: Int) -> Int { place >> (count.trailingZeroBitCount + 1) }

  /// By plane number − 1: how far its configuration table is from the one at its own place, in bytes.
  private var tableDistances: UnsafeMutablePointer<Int> {
    // Safety: after the ranges of known places, which are 16 bytes each.
    unsafe UnsafeMutableRawPointer(knownPlaces + planeCount).assumingMemoryBound(to: Int.self)
  }

  /// The configuration byte of the interrupt whose state is at `place`.
  func configuration(of place: Int) -> UnsafeMutablePointer<UInt8> {
    // Safety: the caller's place is one of a state in a plane that is written; each such plane has a
    // table at its own place, and is bound to one of them.
    unsafe configurations + (place / 2 + tableDistances[planeNumber(of: place) - 1])
  }

  /// Reads a plane's configuration from table `table`, 0..<planeCount, from now on.
  func bind(plane number: Int, toConfiguration table: Int) {
    precondition((1...planeCount).contains(number) && (0..<planeCount).contains(table))
    // Safety: just checked.
    unsafe tableDistances[number - 1] = (table - (number - 1)) * Int(count)
  }

  /// Software stores a byte of table `table`.
  func store(configuration: UInt8, _ intid: UInt32, table: Int) {
    guard intid < count else { return }
    precondition((0..<planeCount).contains(table))
    // Safety: just checked; table 0 is at the place of plane 1.
    unsafe configurations[Int(count) * (table + 1) + Int(intid)] = configuration
  }

  func refreshConfigurations(ofPlane number: Int) {
    // Safety: a plane's range holds places of its states, which are even.
    let known = unsafe knownPlaces + (number - 1)
    for place in unsafe stride(
      from: known.pointee.lowerBound, to: known.pointee.upperBound, by: 2)
    {
      refresh(at: place)
    }
    unsafe known.pointee = 0..<0
  }

  /// No interrupt below `end` is pending any more.
  func clear(plane number: Int, below end: UInt32) {
    for intid in 0..<min(end, count) { acknowledge(at: place(intid, inPlane: number)) }
  }

  package func exportBits(plane number: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(count) / 8)
    for intid in 0..<count where isPending(at: place(intid, inPlane: number)) {
      bytes[Int(intid / 8)] |= 1 << (intid % 8)
    }
    return bytes
  }
}
