extension RunRecord {
  /// The first exact fact in which this repetition of some cells differs from another, in words; nil if there
  /// is none. Cells that only the other has are left out.
  public func firstDifference(fromRepetition other: RunRecord) -> String? {
    for cell in cells {
      guard let twin = other.cells.first(where: { $0.isSame(as: cell) }) else {
        return "cells: only one has \(cell.experiment) of \(cell.design)"
      }
      if let fact = cell.firstDifference(fromRepetition: twin) { return fact }
    }
    return nil
  }
}

extension RunRecord.Cell {
  fileprivate func firstDifference(fromRepetition twin: RunRecord.Cell) -> String? {
    let name = "of \(experiment), \(design)"
    if ledger != twin.ledger { return "the ledger \(name)" }
    if setUpCounters != twin.setUpCounters { return "set-up counters \(name)" }
    if deliveryCounters != twin.deliveryCounters { return "delivery counters \(name)" }
    if conformance != twin.conformance { return "the conformance \(name)" }
    if digest != twin.digest { return "the digest of outcomes \(name)" }
    return nil
  }
}
