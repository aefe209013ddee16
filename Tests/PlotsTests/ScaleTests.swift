import Plots
import Testing

@Suite struct ScaleTests {
  @Test func everyNineIsAsLongAsTheOneBefore() {
    let scale = Scale.nines(most: 4)
    #expect(scale.position(0) == 0)
    for (percent, expected) in [(90.0, 0.25), (99, 0.5), (99.9, 0.75), (99.99, 1)] {
      #expect(abs(scale.position(percent) - expected) < 1e-9, "\(percent)")
    }
    #expect(abs(scale.position(50) - 0.0752575) < 1e-6)
    #expect(scale.position(100) == 1, "the largest stands at the end")
  }

  @Test func factorsAreLengthsOnALogarithmicScale() {
    let scale = Scale.logarithmic(10...1000)
    #expect(scale.position(10) == 0)
    #expect(abs(scale.position(100) - 0.5) < 1e-12)
    #expect(scale.position(1000) == 1)
    #expect(scale.position(0) == 0, "what has no logarithm stands at the start")
    #expect(scale.position(-5) == 0)
    #expect(scale.position(1e9) == 1)
  }

  @Test func whatIsNotANumberStaysOnThePicture() {
    for scale in [Scale.linear(0...1), .logarithmic(1...10), .nines(most: 3)] {
      for value in [Double.nan, .infinity, -.infinity] {
        #expect((0...1).contains(scale.position(value)))
      }
    }
  }

  @Test(arguments: [
    ([94.0, 3_295_231], 10.0...1e7), ([1000], 1000...10_000), ([0.97, 41_549], 0.1...100_000),
    ([10, 1000], 10...1000), ([], 1...10), ([0, -3, .nan], 1...10),
  ]) func decadesAreWhole(values: [Double], expected: ClosedRange<Double>) {
    guard case .logarithmic(let range) = Scale.decades(values) else {
      Issue.record("not logarithmic")
      return
    }
    #expect(abs(range.lowerBound / expected.lowerBound - 1) < 1e-9)
    #expect(abs(range.upperBound / expected.upperBound - 1) < 1e-9)
  }

  @Test func aScaleFromZeroEndsAtARoundValue() {
    #expect(Scale.fromZero([7.3, 2]) == .linear(0...8))
    #expect(Scale.fromZero([2507]) == .linear(0...3000))
    #expect(Scale.fromZero([-0.011, 0.034]) == .linear(-0.02...0.04))
    #expect(Scale.fromZero([]) == .linear(0...1))
  }
}
