import GRDB
public import History

extension HistoryStore {
  /// Every series, or those of a trace by name. The name of the newest run is the series' name.
  public func series(trace: String? = nil) throws(HistoryStoreError) -> [FigureSeries] {
    try read { database in
      var found: [FigureSeries] = []
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT run.id AS id, started, "commit", trace, traceHash, host, architecture, design,
            experiment, mode, name, unit, lowerIsBetter, value
          FROM figure JOIN run ON run.id = figure.run
          WHERE ? IS NULL OR trace = ?
          ORDER BY traceHash, host, experiment, architecture, design, mode, name, started, id
          """, arguments: [trace, trace])
      while let row = try rows.next() {
        let point = FigureSeries.Point(
          run: row["id"], started: row["started"], commit: row["commit"], value: row["value"])
        let column: String = row["experiment"]
        let parts = column.split(separator: " ", maxSplits: 1).map(String.init)
        let series = FigureSeries(
          trace: row["trace"], traceHash: row["traceHash"], host: row["host"],
          architecture: row["architecture"], design: row["design"],
          experiment: parts.first ?? column,
          mode: row["mode"], variant: parts.count > 1 ? parts[1] : nil, name: row["name"],
          unit: row["unit"],
          lowerIsBetter: row["lowerIsBetter"], points: [point])
        if let last = found.last, last.isSame(as: series) {
          found[found.count - 1].points.append(point)
          found[found.count - 1].trace = series.trace
        } else {
          found.append(series)
        }
      }
      return found
    }
  }
}

extension FigureSeries {
  fileprivate func isSame(as other: FigureSeries) -> Bool {
    traceHash == other.traceHash && host == other.host && experiment == other.experiment
      && architecture == other.architecture && design == other.design && mode == other.mode
      && variant == other.variant && name == other.name
  }
}
