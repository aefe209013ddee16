import Testing

@testable import Plots

@Suite struct PlotTextTests {
  @Test func dotsAreBraille() {
    var canvas = DotCanvas(columns: 2, rows: 1)
    canvas.set(0, 0)
    canvas.set(3, 3)
    canvas.set(9, 9)
    #expect(canvas.lines(.unicode) == ["⠁⢀"])
    #expect(canvas.lines(.ascii) == ["**"])
    canvas = DotCanvas(columns: 2, rows: 1)
    canvas.line((0, 3), (3, 0))
    #expect(canvas.lines(.unicode) == ["⡠⠊"])
  }

  private func plot(_ count: Int) -> CurvePlot {
    CurvePlot(
      title: "Latency", summary: "", x: Axis("percentile", .nines(most: 3)),
      y: Axis("time", .logarithmic(100...10_000), .nanoseconds),
      series: (0..<count).map {
        .init(
          name: "design \($0)", style: $0,
          points: [Point(0, 100), Point(90, 200), Point(99.9, 10_000)])
      }, references: [.init(name: "bound", value: 5_000)])
  }

  @Test(arguments: [24, 40, 80, 120, 200]) func noLineIsWiderThanTheTerminal(columns: Int) {
    for count in 0...5 {
      for characters in [TerminalCharacters.unicode, .ascii] {
        let text = plot(count).text(columns: columns, characters: characters)
        for line in text.split(separator: "\n") {
          #expect(line.count <= columns, "\(line)")
          #expect(!line.hasSuffix(" "))
        }
        for index in 0..<count { #expect(text.contains("design \(index)")) }
      }
    }
  }

  @Test func aCurveStandsOnItsAxes() {
    let text = plot(1).text(columns: 43, characters: .unicode)
    #expect(
      text == """
        Latency
        design 0
          10 µs │                              ⢀⡠⠔⠊
                │                          ⣀⠤⠒⠉⠁
                │                     ⢀⡠⠔⠊⠉
                │                 ⣀⠤⠒⠉⠁
                │            ⢀⡠⠔⠊⠉
         100 ns │⣀⣀⣀⣀⠤⠤⠤⠔⠒⠒⠒⠉⠁
                 0 50      90         99       99.9
          bound: 5 µs

        """, "\(text)")
  }

  @Test func barsFillByTheirParts() {
    let bars = BarPlot(
      title: "Stages", summary: "", axis: "ns", style: .nanoseconds,
      panels: [
        .init(
          name: "p50",
          bars: [
            .init(
              name: "a",
              parts: [.init(name: "x", style: 0, value: 50), .init(name: "y", style: 1, value: 50)]),
            .init(name: "b", parts: [.init(name: "x", style: 0, value: 100)]),
          ]),
        .init(
          name: "p99",
          bars: [.init(name: "a", parts: [.init(name: "y", style: 1, value: 1000)])]),
      ])
    #expect(
      bars.text(columns: 32, characters: .unicode) == """
        Stages
         p50
          a 100 ns  ██████████▓▓▓▓▓▓▓▓▓▓
          b 100 ns  ████████████████████
         p99
          a 1 µs    ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓
          █ x   ▓ y

        """)
    #expect(bars.text(columns: 32, characters: .ascii).contains("##########=========="))
  }

  @Test func intervalsShowTheirZone() {
    let plot = IntervalPlot(
      title: "Change", summary: "", axis: Axis("", .linear(-1...1), .plain),
      rows: [.init(name: "core", style: 0, estimate: 0.5, interval: 0...1)], zone: -0.5...0.5)
    let text = plot.text(columns: 29, characters: .unicode)
    #expect(text == "Change\n  core       │    ─────●─────\n", "\(text)")
  }
}
