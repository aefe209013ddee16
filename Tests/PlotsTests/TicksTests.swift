import Plots
import Testing

@Suite struct TicksTests {
  private func labels(_ axis: Axis) -> [String] { axis.ticks.map(\.label) }

  @Test func ninesAreNamedByTheirPercentile() {
    #expect(
      labels(Axis("", .nines(most: 5)))
        == ["0", "50", "90", "99", "99.9", "99.99", "99.999"])
    #expect(labels(Axis("", .nines(most: 1.7))) == ["0", "50", "90"])
  }

  @Test func ninesStandWhereTheirPercentileDoes() {
    let axis = Axis("", .nines(most: 3))
    #expect(
      axis.ticks.map(\.value).map { Int($0 * 1000 + 0.5) } == [0, 50_000, 90_000, 99_000, 99_900])
  }

  @Test func decadesOfTimeHaveTheirUnits() {
    #expect(
      labels(Axis("", .logarithmic(10...1e7), .nanoseconds))
        == ["10 ns", "100 ns", "1 µs", "10 µs", "100 µs", "1 ms", "10 ms"])
  }

  @Test func fewDecadesAreMarkedBetween() {
    #expect(
      labels(Axis("", .logarithmic(100...10_000), .plain))
        == ["100", "200", "500", "1000", "2000", "5000", "10k"])
  }

  @Test func manyDecadesAreNamedInPart() {
    let labels = labels(Axis("", .logarithmic(1...1e9), .plain))
    #expect(labels == ["1", "", "100", "", "10k", "", "1M", "", "100M", ""])
  }

  @Test func stepsAreRound() {
    #expect(labels(Axis("", .linear(0...3000), .nanoseconds)).last == "3 µs")
    #expect(labels(Axis("", .linear(0...7))) == ["0", "2", "4", "6"])
    #expect(
      labels(Axis("", .linear(-0.02...0.04), .signedPercent))
        == ["-2 %", "0 %", "+2 %", "+4 %"])
  }

  @Test(arguments: [
    (0.0, "0"), (0.25, "0.25"), (99.94, "99.9"), (999.6, "1000"), (-12.34, "-12.3"),
    (25_000, "25k"), (3.2e6, "3.2M"), (4e9, "4G"), (.nan, "–"), (-0.0001, "0"),
  ]) func valuesAreShort(value: Double, expected: String) {
    #expect(ValueStyle.plain.text(value) == expected)
  }
}
