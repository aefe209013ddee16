import Measurement

/// The stages of one interrupt for every bucket of a histogram: the last one whose total fell into it.
/// So the interrupt at a percentile can be taken apart after a run of any length, in memory that does
/// not grow: 2 MiB, allocated and touched by `init`.
struct StageExemplars {
  private var stages = [DeliveryStages](
    repeating: DeliveryStages(), count: LatencyHistogram.bucketCount)

  mutating func record(_ found: DeliveryStages, total: UInt64) {
    stages[LatencyHistogram.bucket(of: total)] = found
  }

  /// Those of an interrupt in the bucket that holds the histogram's `percent`.
  func stages(at percent: Double, of histogram: LatencyHistogram) -> DeliveryStages {
    stages[LatencyHistogram.bucket(of: histogram.percentile(percent))]
  }
}
