import Plots

/// A part of a page: what it says in words, pictures, and the tables behind them.
struct PageSection {
  struct Figure {
    var picture: any Picture
    /// How to read it, and what it must not be read as.
    var note: String
    /// The same figures in numbers.
    var table: Table
    /// A name that links from elsewhere may rest on; absent where none does.
    var anchor: String?
  }

  var title: String
  var lead: String
  var figures: [Figure] = []
  /// Shown below the figures.
  var tables: [ReportSection] = []
  /// Why something here must not be believed.
  var cautions: [String] = []
  /// Lines to be copied, as they are.
  var code: [String] = []
  /// As of a figure.
  var anchor: String?

  init(
    _ title: String, _ lead: String, figures: [Figure] = [], tables: [ReportSection?] = [],
    cautions: [String] = [], code: [String] = [], anchor: String? = nil
  ) {
    self.title = title
    self.lead = lead
    self.figures = figures
    self.tables = tables.compactMap { $0 }
    self.cautions = cautions
    self.code = code
    self.anchor = anchor
  }

  var isEmpty: Bool { figures.isEmpty && tables.isEmpty && cautions.isEmpty && code.isEmpty }
}
