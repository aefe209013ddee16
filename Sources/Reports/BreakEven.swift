import History

/// After how many interrupts the design of two that is dearer to set up has paid for itself:
/// (set-up A − set-up B) ÷ (delivery B − delivery A).
struct BreakEven {
  let cheaper: RunRecord.Cell
  let dearer: RunRecord.Cell
  /// What the dearer set-up costs more, in nanoseconds per vector; 0 or more.
  let cost: Double
  /// What each of its interrupts costs less, in nanoseconds; negative if it costs more.
  let saving: Double
  /// Whether the one design's deliveries are cheaper beyond what its passes differ by: its median is
  /// below every sample of the other.
  let isResolved: Bool

  /// Interrupts per vector; nil where the dearer set-up never pays, or nobody can tell.
  var interrupts: Double? { saving > 0 && isResolved ? cost / saving : nil }

  var text: String {
    interrupts.map(Format.number) ?? (saving <= 0 ? "none" : "unresolved")
  }

  /// Every pair of the cells of `set-up`; `null`, which sets nothing up, is left out.
  static func pairs(of cells: [RunRecord.Cell]) -> [BreakEven] {
    let cells = cells.filter { $0.design != "null" }
    return cells.indices.flatMap { index in
      cells[(index + 1)...].compactMap { BreakEven(cells[index], $0) }
    }
  }

  private init?(_ first: RunRecord.Cell, _ second: RunRecord.Cell) {
    guard let a = first.metric("set-up-ns-per-vector"),
      let b = second.metric("set-up-ns-per-vector"),
      let perA = first.metric("delivery-ns-per-interrupt"),
      let perB = second.metric("delivery-ns-per-interrupt")
    else { return nil }
    let isFirstCheaper = a.value <= b.value
    cheaper = isFirstCheaper ? first : second
    dearer = isFirstCheaper ? second : first
    cost = abs(a.value - b.value)
    saving = isFirstCheaper ? perA.value - perB.value : perB.value - perA.value
    isResolved = perA.value < perB.minimum || perB.value < perA.minimum
  }
}
