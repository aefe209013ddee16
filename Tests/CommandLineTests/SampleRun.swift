import Foundation
import History
import Testing

/// A run record of the real tool, made once. `path` is added by hand: on a busy host two threads that wait
/// for each other take as long as they like.
enum SampleRun {
  private static let record: Result<RunRecord, any Error> = Result {
    try Folder.use { folder in
      let path = folder.path("run.json")
      let run = try Tool.run(
        "replay", Tool.trace("boot"), "--design", "trapped", "direct", "--experiment", "core",
        "--passes", "2", "-o", path)
      try #require(run.status == 0, "\(run.text)")
      var record = try RunRecord.read(from: path)
      for (design, setUp) in [("trapped", "trapped"), ("direct", "owned")] {
        var cell = RunRecord.Cell(
          design: design, setUp: setUp, delivery: "vlpi", experiment: "path")
        cell.distributions = [
          .init(
            name: "total", unit: "ns",
            counts: [
              .init(value: 180, count: 900), .init(value: 240, count: 99),
              .init(value: 5_000, count: 1),
            ])
        ]
        cell.stages = [
          .init(
            percentile: 50, total: 180,
            stages: [
              .init(name: "its", nanoseconds: 60), .init(name: "acknowledge", nanoseconds: 120),
            ])
        ]
        record.cells.append(cell)
      }
      return record
    }
  }

  /// Runs `body` with a folder of its own and the path of the record in it.
  static func use<R>(_ body: (Folder, String) throws -> R) throws -> R {
    try Folder.use { folder in
      let path = folder.path("run.json")
      try record.get().write(to: path)
      return try body(folder, path)
    }
  }
}
