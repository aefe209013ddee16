import Foundation
import History
import Measurement
import Reports
import TestSupport
import Testing

/// The exports against the reference implementation in Python.
@Suite struct HistogramFilesTests {
  private static let hasReference =
    (try? python("import hdrh.histogram, hdrh.log", [])) != nil

  private struct PythonFailed: Error { var text: String }

  private static func python(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", program] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw PythonFailed(text: String(text.suffix(400))) }
    return text
  }

  private func record() -> RunRecord {
    var random = SeededGenerator(seed: 5)
    let cells = ["direct", "trapped+bounce"].map { design in
      var cell = RunRecord.Cell(
        design: design, setUp: "owned", delivery: "vlpi", experiment: "paced")
      cell.parameters = ["duration-ns": "2500000000"]
      for name in ["response", "lag"] {
        var histogram = LatencyHistogram()
        for _ in 0..<5_000 {
          histogram.record(UInt64.random(in: 0..<(1 << 40), using: &random) >> (random.next() % 38))
        }
        cell.distributions.append(
          .init(
            name: name, unit: "ns",
            counts: histogram.buckets.map { .init(value: $0.value, count: $0.count) }))
      }
      return cell
    }
    return RunRecord(
      tool: .init(name: "doorbell", version: "0"), command: [], started: "2026-01-02T03:04:05Z",
      trace: .init(
        name: "nvme.dbtrace", contentHash: "", events: 0, eventsByKind: [:], lostEvents: 0),
      host: .init(facts: [:]), cells: cells)
  }

  @Test func everyHistogramHasItsFilesAndALineOfTheLog() throws {
    let files = HistogramFiles(record()).files
    #expect(files.count == 9 && files[8].name == "nvme.hlog")
    #expect(files[0].name == "direct-paced-response.hgrm")
    #expect(files[7].name == "trapped+bounce-paced-lag.base64")
    #expect(files[1].text.hasPrefix("HISTFAAA"))
    let log = files[8].text.split(separator: "\n")
    #expect(log.count == 8 && log[2].hasPrefix("#[StartTime: 1767323045.000 (seconds"))
    #expect(log[4].hasPrefix("Tag=direct-paced-response,0.000,2.500,"))
    #expect(files[0].text.contains("1/(1-Percentile)"))
  }

  /// The log is read back bucket by bucket, and in the text as many are at or below each value as the reference finds.
  @Test(.enabled(if: hasReference, "python3 with PyPI's hdrhistogram is not installed"))
  func theReferenceReadsWhatIsWritten() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let record = record()
    try HistogramFiles(record).write(to: folder)
    let text = try Self.python(
      """
      import sys
      from hdrh.histogram import HdrHistogram
      from hdrh.log import HistogramLogReader
      folder = sys.argv[1]
      reader = HistogramLogReader(folder + "/nvme.hlog", HdrHistogram(1, 2**42 - 1, 3))
      while True:
          found = reader.get_next_interval_histogram()
          if not found: break
          tag = found.get_tag()
          alone = HdrHistogram.decode(open(f"{folder}/{tag}.base64").read().strip())
          assert alone.get_total_count() == found.get_total_count(), tag
          counts = [(found.get_highest_equivalent_value(item.value_iterated_to), item.count_added_in_this_iter_step)
                    for item in found.get_recorded_iterator()]
          print(tag, " ".join(f"{value}:{count}" for value, count in counts))
          # Not compared line by line: that implementation picks other percentiles than the one in Java.
          lines = [line.split() for line in open(f"{folder}/{tag}.hgrm") if line[0] in " 0123456789"]
          for value, share, below, *_ in lines[2:]:
              theirs = sum(count for other, count in counts if other / 1000 <= float(value) + 0.0006)
              assert theirs == int(below) >= float(share) * found.get_total_count(), (tag, value, share)
          assert int(lines[-1][2]) == found.get_total_count() and lines[-1][1] == "1.000000000000", tag
      """, [folder])
    let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(lines.count == 4)
    for (line, pair) in zip(
      lines, record.cells.flatMap { cell in cell.distributions.map { (cell, $0) } })
    {
      #expect(line[0] == "\(pair.0.design)-paced-\(pair.1.name)")
      #expect(line.dropFirst().elementsEqual(pair.1.counts.map { "\($0.value):\($0.count)" }))
    }
  }
}
