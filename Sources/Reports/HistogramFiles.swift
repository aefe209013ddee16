import Foundation
public import History
import Measurement

/// The histograms of a run record in the formats of HdrHistogram, for its plotters and log analysers:
///
///   DESIGN-EXPERIMENT-NAME.hgrm     value by percentile, as text, in microseconds
///   DESIGN-EXPERIMENT-NAME.base64   the V2 compressed encoding
///   TRACE.hlog                      all of them as one log, an interval and a tag for each
public struct HistogramFiles {
  /// Name → contents, in the order of the record.
  public private(set) var files: [(name: String, text: String)] = []

  public init(_ record: RunRecord) {
    let trace = (record.trace.name as NSString).deletingPathExtension
    var log = """
      #[Logged with \(record.tool.name) \(record.tool.version)]
      #[Histogram log format version 1.3]
      #[StartTime: \(Self.seconds(record.started)) (seconds since epoch), \(record.started)]
      "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"

      """
    for cell in record.cells {
      for distribution in cell.distributions where distribution.unit == "ns" {
        let name = "\(cell.design)-\(cell.experiment)-\(distribution.name)"
        var histogram = LatencyHistogram()
        for bucket in distribution.counts { histogram.record(bucket.value, count: bucket.count) }
        let encoded = Data(histogram.encodedV2Compressed).base64EncodedString()
        let length = Double(cell.parameters["duration-ns"] ?? "").map { $0 / 1e9 } ?? 0
        files.append((name + ".hgrm", histogram.percentileDistribution(unitNanoseconds: 1_000)))
        files.append((name + ".base64", encoded + "\n"))
        log += "Tag=\(name),0.000,\(Self.decimal(length)),"
        log += "\(Self.decimal(Double(histogram.maximum) / 1e6)),\(encoded)\n"
      }
    }
    files.append((trace + ".hlog", log))
  }

  /// Makes the folder if it is not there. Each file is whole or not there.
  public func write(to folder: String) throws {
    let url = URL(fileURLWithPath: folder, isDirectory: true)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    for (name, text) in files {
      try Data(text.utf8).write(to: url.appendingPathComponent(name), options: .atomic)
    }
  }

  private static func decimal(_ value: Double) -> String { String(format: "%.3f", value) }

  /// Of a time in ISO 8601; 0 if it is none.
  private static func seconds(_ time: String) -> String {
    decimal(ISO8601DateFormatter().date(from: time)?.timeIntervalSince1970 ?? 0)
  }
}
