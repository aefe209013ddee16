import Measurement
import Testing

@Suite struct SummaryTests {
  @Test func figuresOfASmallSampleAreTheTextbookOnes() {
    let summary = Summary([9, 1, 4, 2, 100])
    #expect(summary.minimum == 1 && summary.maximum == 100 && summary.median == 4)
    #expect(summary.lowerQuartile == 2 && summary.upperQuartile == 9)
    // Distances from 4: 5, 3, 0, 2, 96.
    #expect(summary.medianAbsoluteDeviation == 3)
  }

  @Test func evenNumberOfSamplesHasItsMedianBetweenTwo() {
    let summary = Summary([4, 1, 2, 3])
    #expect(summary.median == 2.5)
    #expect(summary.lowerQuartile == 1.75 && summary.upperQuartile == 3.25)
  }

  @Test func oneWildSampleMovesTheMedianOnlyToItsNeighbour() {
    #expect(Summary([1, 2, 3, 4, 5]).median == 3)
    #expect(Summary([1, 2, 3, 4, 1e12]).median == 3)
  }

  @Test func oneSampleIsItsOwnSummary() {
    let summary = Summary([7])
    #expect(summary.lowerQuartile == 7 && summary.upperQuartile == 7)
    #expect(summary.medianAbsoluteDeviation == 0)
  }

  @Test func noSamplesHaveNoFigures() {
    let summary = Summary([])
    #expect(summary.minimum.isNaN && summary.median.isNaN && summary.upperQuartile.isNaN)
  }
}
