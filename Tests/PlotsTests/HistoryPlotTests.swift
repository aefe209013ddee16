import Foundation
import Plots
import Testing

@Suite struct HistoryPlotTests {
  private static func plot(_ values: [Double]) -> HistoryPlot {
    HistoryPlot(
      title: "core <ns>", summary: "runs", y: Axis("ns", .around(values), .nanoseconds), style: 2,
      values: values, names: values.indices.map { "day \($0)" },
      levels: [.init(runs: 0..<2, value: 5), .init(runs: 2..<values.count, value: 6)],
      marks: [
        .init(place: 2, kind: .step, style: 4, name: "+20 % 8a2f", hint: "regressed & new"),
        .init(place: values.count - 1, kind: .watch, style: 1, name: "watch", hint: "watch"),
      ])
  }

  @Test func everyRunIsADotAndEveryStepALine() {
    let svg = Self.plot([5, 5.1, 6, 6.1, 7]).svg(id: "f1")
    #expect(svg.hasPrefix("<svg class=\"plot\" id=\"f1\"") && svg.hasSuffix("</svg>"))
    let dots = svg.components(separatedBy: "class=\"dots s2\" d=\"")[1].prefix { $0 != "\"" }
    #expect(dots.split(separator: "M").count == 5)
    #expect(svg.components(separatedBy: "class=\"level\"").count == 3)
    #expect(svg.components(separatedBy: "class=\"reference\"").count == 2)
    #expect(svg.contains("ring s1") && svg.contains("mark s4"))
    #expect(svg.contains("regressed &amp; new") && svg.contains("core &lt;ns&gt;"))
    #expect(svg.contains(">day 0<") && svg.contains(">day 4<"))
  }

  @Test(arguments: [[], [6], [6, 6], [1e9, 1e-9]]) func fewRunsAreAPlotToo(values: [Double]) {
    let plot = HistoryPlot(
      title: "t", summary: "s", y: Axis("ns", .around(values)), style: 0, values: values,
      names: values.map { "\($0)" })
    #expect(!plot.svg(id: "f").contains("nan") && !plot.svg(id: "f").contains("–"))
    _ = plot.text(columns: 40, characters: .ascii)
  }

  @Test func textKeepsToItsWidthAndNamesTheSteps() {
    let text = Self.plot([5, 5.1, 6, 6.1, 7]).text(columns: 60, characters: .unicode)
    for line in text.split(separator: "\n") { #expect(line.count <= 60, "\(line)") }
    #expect(text.contains("regressed & new"))
  }

  @Test func anAxisAroundValuesNeedNotHoldNought() {
    #expect(Scale.around([403, 411]) == .linear(402...412))
    #expect(Scale.around([]) == .linear(0...1))
    if case .linear(let range) = Scale.around([6, 6]) {
      #expect(range.lowerBound < 6 && range.upperBound > 6)
    }
  }

  @Test func aSparkShowsWhereTheLevelChanged() {
    let svg = SparkPlot(title: "t", summary: "s", values: [1, 1, 2, 2], steps: [2], style: 4)
      .svg(id: "k1")
    #expect(svg.hasPrefix("<svg class=\"spark\"") && svg.contains("reference"))
    #expect(svg.contains("<title") && svg.contains("mark s4"))
  }
}
