public import History

/// What `doorbell history list` prints.
public enum HistoryReport {
  public static func list(_ runs: [StoredRun]) -> String {
    var table = Table([
      .number("run"), .word("started"), .word("commit"), .word("trace"), .word("host"),
      .word("doorbell"), .number("cells"),
    ])
    for run in runs {
      table.add([
        "\(run.id)", run.started, run.commit.map { String($0.prefix(12)) } ?? "–", run.trace,
        String(run.host.prefix(8)), run.tool, "\(run.cells)",
      ])
    }
    return table.isEmpty ? "no runs\n" : table.text()
  }
}
