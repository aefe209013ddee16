package import Gates

/// What `doorbell aa` prints.
package struct SensitivityReport {
  let document: SensitivityDocument

  package init(_ document: SensitivityDocument) { self.document = document }

  package func text() -> String {
    let blocks = document.cells.first?.gateBlocks ?? 0
    var table = Table([
      .word("trace"), .word("design"), .word("stage"), .number("floor %"), .word("interval, %"),
      .number("scatter of a block, %"), .number("caught from %"),
    ])
    for cell in document.cells {
      table.add([
        cell.cell.trace, cell.cell.design, cell.cell.stage ?? cell.cell.experiment,
        Percent.signed(cell.floor),
        "\(Percent.signed(cell.lower)) … \(Percent.signed(cell.upper))",
        Percent.plain(cell.blockDeviation), cell.minimumDetectable.map(Percent.plain) ?? "–",
      ])
    }
    var out = """
      aa     \(document.arm) against itself
      how    \(document.blocks) blocks, \(document.launches) launches in \
      \(Format.number(document.elapsedSeconds)) s, seed \(document.seed)

      A gate of \(Format.number(document.budgetSeconds)) s with a threshold of \
      \(Percent.plain(document.policy.threshold)) % has \(blocks) blocks to confirm a slowdown, and catches \
      95 of 100 from
      \(table.text())
      """
    if document.cells.contains(where: { $0.minimumDetectable == nil }) {
      out += "\n–: so few blocks can fail no gate, whatever they show; raise --budget\n"
    }
    for warning in document.warnings { out += "\nwarning: \(warning)\n" }
    return out
  }
}
