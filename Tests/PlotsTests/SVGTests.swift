import Testing

@testable import Plots

@Suite struct SVGTests {
  @Test func aPathTakesTheShortestWords() {
    let path = PathData.line([Point(1, 2), Point(5, 2), Point(5, 7.25), Point(6, 5)])
    #expect(path == "M1 2h4v5.3l1-2.3")
    #expect(PathData.line([Point(0.5, 3), Point(0, 2.5)]) == "M.5 3l-.5-.5")
  }

  @Test func whatAScreenCannotTellApartIsLeftOut() {
    let crowd = (0...1000).map { Point(Double($0) / 100, 3) }
    #expect(PathData.line(crowd) == "M0 3h10", "the ends are never left out")
    // Out and back on one line: the far point is none that may be missed.
    #expect(PathData.line([Point(0, 0), Point(9, 0), Point(1, 0)]) == "M0 0h9h-8")
  }

  /// Whatever the curve, nothing of it is farther than half a pixel from what is drawn.
  @Test func aCurveStaysWithinHalfAPixel() {
    let curve = (0...2000).map { index -> Point in
      let x = Double(index) / 4
      let wave = Double((index * index) % 97) / 97
      return Point(x, 100 + x * x / 2500 + (index % 500 < 250 ? 0.2 * wave : 30 * wave))
    }
    let drawn = PathData.simplified(curve)
    #expect(drawn.count < curve.count && drawn.first == curve.first && drawn.last == curve.last)
    for point in curve {
      let nearest = zip(drawn, drawn.dropFirst()).map { a, b -> Double in
        let (dx, dy) = (b.x - a.x, b.y - a.y)
        let t = min(1, max(0, ((point.x - a.x) * dx + (point.y - a.y) * dy) / (dx * dx + dy * dy)))
        let (x, y) = (point.x - a.x - t * dx, point.y - a.y - t * dy)
        return x * x + y * y
      }.min()
      #expect(nearest ?? 1 <= 0.25 + 1e-9, "\(point)")
    }
  }

  @Test func aBandGoesThereAndBack() {
    let path = PathData.area(
      upper: [Point(0, 1), Point(9, 1)], lower: [Point(0, 4), Point(9, 5)])
    #expect(path == "M0 1h9v4l-9-1Z")
  }

  @Test func nothingIsDrawnOfNothing() { #expect(PathData.line([]).isEmpty) }

  private let hostile = "</title><script>alert('1')</script>\"&\u{0}\u{1B}[31m"

  @Test func textCannotLeaveItsPlace() {
    let escaped = SVG.escaped(hostile)
    #expect(
      escaped == "&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;[31m")
  }

  @Test func everyTextOfEveryPictureIsEscaped() {
    let axis = Axis(hostile, .linear(0...1))
    let pictures: [any Picture] = [
      CurvePlot(
        title: hostile, summary: hostile, x: axis, y: axis,
        series: [
          .init(name: hostile, style: 0, points: [Point(0, 0), Point(1, 1)], isMarked: true)
        ], references: [.init(name: hostile, value: 0.5), .init(name: hostile, value: 1, .upright)]),
      BarPlot(
        title: hostile, summary: hostile, axis: hostile, style: .plain,
        panels: [
          .init(
            name: hostile,
            bars: [.init(name: hostile, parts: [.init(name: hostile, style: 1, value: 2)])])
        ]),
      IntervalPlot(
        title: hostile, summary: hostile, axis: axis,
        rows: [.init(name: hostile, style: 0, estimate: 0.2, interval: 0.1...0.3)]),
    ]
    for picture in pictures {
      let svg = picture.svg(id: "\"><script>")
      #expect(!svg.contains("<script"), "\(svg)")
      #expect(!svg.contains("\u{1B}"))
      #expect(svg.contains("&lt;script&gt;"))
    }
  }

  @Test func aPlotSaysWhatItShowsToThoseWhoDoNotSeeIt() {
    let plot = CurvePlot(
      title: "Latency", summary: "direct is lowest.", x: Axis("percentile", .nines(most: 2)),
      y: Axis("time", .logarithmic(1...100), .nanoseconds),
      series: [.init(name: "direct", style: 2, points: [Point(0, 10), Point(99, 100)])])
    let svg = plot.svg(id: "f1")
    #expect(svg.hasPrefix("<svg class=\"plot\" id=\"f1\" viewBox=\"0 0 520 320\" role=\"img\""))
    #expect(svg.contains("aria-labelledby=\"f1-t f1-d\""))
    #expect(svg.contains("<title id=\"f1-t\">Latency</title>"))
    #expect(svg.contains("<desc id=\"f1-d\">direct is lowest.</desc>"))
    #expect(
      svg.contains("<path class=\"line s2\" d=\"M66 140l440-128\"><title>direct</title></path>"),
      "\(svg)")
    #expect(svg.hasSuffix("</svg>"))
  }

  @Test func bandsStandBehindLines() {
    let plot = CurvePlot(
      title: "t", summary: "s", x: Axis("", .linear(0...1)), y: Axis("", .linear(0...1)),
      series: [
        .init(
          name: "a", style: 0, points: [Point(0, 0), Point(1, 1)], isDashed: true,
          band: ([Point(0, 0.2), Point(1, 1)], [Point(0, 0), Point(1, 0.8)]))
      ])
    let shapes = plot.svg(id: "b").split(separator: "class=\"")
    let band = shapes.firstIndex { $0.hasPrefix("band s0\"") }
    let line = shapes.firstIndex { $0.hasPrefix("line s0 dashed\"") }
    #expect(band != nil && line != nil && band ?? 0 < line ?? 0)
    #expect(band.map { shapes[$0].contains("Z\"/>") } == true)
  }

  @Test func partsOfABarFollowEachOther() {
    let plot = BarPlot(
      title: "t", summary: "s", axis: "ns", style: .nanoseconds,
      panels: [
        .init(bars: [
          .init(
            name: "direct p50",
            parts: [
              .init(name: "its", style: 0, value: 250), .init(name: "none", style: 1, value: 0),
              .init(name: "ack", style: 2, value: 750),
            ])
        ])
      ])
    let svg = plot.svg(id: "b")
    #expect(svg.contains("class=\"part s0\" d=\"M8 22h120.5v18h-120.5z\""), "\(svg)")
    #expect(svg.contains("class=\"part s2\" d=\"M128.5 22h361.5v18h-361.5z\""))
    #expect(!svg.contains("part s1"), "a part of 0 is not drawn")
    #expect(svg.contains("direct p50: 1 µs"))
    #expect(plot.legend.map(\.name) == ["its", "ack"])
  }

  @Test func aPanelHasAScaleOfItsOwn() {
    func panel(_ name: String, _ value: Double) -> BarPlot.Panel {
      .init(
        name: name, bars: [.init(name: "a", parts: [.init(name: "x", style: 0, value: value)])])
    }
    let plot = BarPlot(
      title: "t", summary: "s", axis: "ns", style: .nanoseconds,
      panels: [panel("p50", 100), panel("p99", 100_000)])
    let svg = plot.svg(id: "b")
    // Both as long as the axis, the second a panel of 90 below the first.
    #expect(svg.contains("d=\"M8 44h482v18h-482z\""), "\(svg)")
    #expect(svg.contains("d=\"M8 134h482v18h-482z\""))
    #expect(svg.contains(">p50</text>") && svg.contains(">p99</text>"))
    #expect(svg.contains(">100 ns</text>") && svg.contains(">100 µs</text>"))
    #expect(plot.legend.map(\.name) == ["x"])
  }
}
