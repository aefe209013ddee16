import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// One line on stderr while a step takes long: how much is done, how fast, and when it ends.
///
/// Drawn on a terminal only, never in a pipe, and not with `--quiet`; with `--verbose` the step is told in two
/// lines, anywhere (see `Console.step`). It is drawn by whoever works, when he says so: no thread of its own
/// wakes up beside a measurement.
///
///     var progress = Progress("import", unit: .bytes)
///     while … { progress.update(done, of: total) }        // as often as you like: cheap
///     progress.finish()                                    // before any result
struct Progress {
  /// What is counted.
  enum Unit {
    case events, bytes
    /// Things of this name, in the plural; few, and each takes long.
    case things(String)
  }

  private static let hasLine = Atomic<Bool>(false)

  private let label: String
  private let unit: Unit
  private let isShown = Console.errorIsTerminal && Console.level != .quiet
  private let start = ContinuousClock.now
  private var lastDrawn = ContinuousClock.now
  private var done: UInt64 = 0
  private var said = ""

  init(_ label: String, unit: Unit = .events) {
    self.label = label
    self.unit = unit
    if Console.level == .verbose { Console.note("\(label) …") }
  }

  /// - Parameters:
  ///   - done: of it, since the start.
  ///   - total: all there is, if it is known.
  ///   - budget: the time after which the step ends, whatever is done; instead of a total.
  ///   - saying: what is being done now. Another text is drawn at once, because what it names may take long.
  mutating func update(
    _ done: UInt64, of total: UInt64? = nil, within budget: Duration? = nil,
    saying text: String = ""
  ) {
    self.done = done
    guard isShown else { return }
    let now = ContinuousClock.now
    if text == said {
      guard now - start > .seconds(1), now - lastDrawn > .milliseconds(100) else { return }
    }
    said = text
    lastDrawn = now
    let line = Line(
      label: label, unit: unit, done: done, total: total, elapsed: Self.seconds(now - start),
      budget: budget.map(Self.seconds), text: text)
    Self.draw(line.text(columns: Console.columns(of: STDERR_FILENO) ?? 80))
  }

  /// Wipes the line, so that results start on a clean one.
  func finish() {
    Self.wipe()
    guard Console.level == .verbose else { return }
    let amount = done == 0 ? "" : ", " + Line.amount(done, unit)
    Console.note("\(label): \(Console.seconds(ContinuousClock.now - start))\(amount)")
  }

  private static func draw(_ text: String) {
    hasLine.store(true, ordering: .relaxed)
    Console.write("\r\(text)\u{1B}[K")
  }

  /// Removes what is drawn, if anything is: another line of text comes.
  static func wipe() {
    guard hasLine.exchange(false, ordering: .relaxed) else { return }
    Console.write("\r\u{1B}[K")
  }

  private static func seconds(_ duration: Duration) -> Double {
    let parts = duration.components
    return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
  }
}

extension Progress {
  /// What is drawn:
  ///
  ///     import [#######.............] 37 %  134 of 361 MiB  45.2 MiB/s  0:05 left
  struct Line {
    var label: String
    var unit: Unit
    var done: UInt64
    var total: UInt64?
    /// Seconds.
    var elapsed: Double
    /// Seconds.
    var budget: Double?
    var text: String

    private static let barColumns = 20

    /// At most one column less than there are: a full line would wrap. Where there is no room, first goes what tells
    /// least: the rate of few things, else the bar.
    func text(columns: Int) -> String {
      var line = ""
      let isOfThings = if case .things = unit { true } else { false }
      for (hasBar, hasRate) in [(true, true), (isOfThings, !isOfThings), (false, false)] {
        var parts: [String] = []
        if let share {
          parts.append((hasBar ? Self.bar(share) + " " : "") + "\(Int(share * 100)) %")
        }
        if total != nil || done > 0 { parts.append(counts) }
        if hasRate, let rate { parts.append(rate) }
        if let left { parts.append("\(Self.clock(left)) left") }
        if !text.isEmpty { parts.append(text) }
        line = label + " " + parts.joined(separator: "  ")
        if line.count < columns { break }
      }
      return String(line.prefix(max(1, columns - 1)))
    }

    /// 0…1; nil if nobody knows.
    var share: Double? {
      if let budget, budget > 0 { return min(1, elapsed / budget) }
      guard let total, total > 0 else { return nil }
      return min(1, Double(done) / Double(total))
    }

    /// Seconds until the end, at the pace until now.
    var left: Double? {
      if let budget { return max(0, budget - elapsed) }
      guard let share, share > 0 else { return nil }
      return elapsed * (1 - share) / share
    }

    private var counts: String {
      guard let total, budget == nil else { return Self.amount(done, unit) }
      return "\(Self.number(Double(done), unit)) of \(Self.amount(total, unit))"
    }

    private var rate: String? {
      guard done > 0, elapsed > 0 else { return nil }
      let perSecond = Double(done) / elapsed
      switch unit {
      case .bytes: return Self.number(perSecond, unit) + "B/s"
      case .events: return Self.number(perSecond, unit) + "/s"
      case .things:
        return perSecond >= 1
          ? String(format: "%.1f/s", perSecond) : String(format: "%.1f/min", perSecond * 60)
      }
    }

    private static func bar(_ share: Double) -> String {
      let filled = Int(share * Double(barColumns))
      return "[" + String(repeating: "#", count: filled)
        + String(repeating: ".", count: barColumns - filled) + "]"
    }

    /// 163 k events, 12.3 MiB, 4 shards.
    static func amount(_ value: UInt64, _ unit: Unit) -> String {
      let number = number(Double(value), unit)
      return switch unit {
      case .bytes: number + "B"
      case .events: number + " events"
      case .things(let name): number + " " + name
      }
    }

    /// Three digits and a prefix: 163 k, and of bytes 12.3 Mi.
    private static func number(_ value: Double, _ unit: Unit) -> String {
      let step: Double
      let ends: [String]
      switch unit {
      case .bytes: (step, ends) = (1024, [" ", " Ki", " Mi", " Gi", " Ti"])
      case .events: (step, ends) = (1000, ["", " k", " M", " G", " T"])
      case .things: return "\(Int(value))"
      }
      var value = value
      var place = 0
      while value >= step, place < ends.count - 1 {
        value /= step
        place += 1
      }
      return String(format: place > 0 && value < 99.95 ? "%.1f" : "%.0f", value) + ends[place]
    }

    /// 0:07, 12:34, 1:02:03.
    private static func clock(_ seconds: Double) -> String {
      let whole = Int(min(seconds, 359_999).rounded(.up))
      let (hours, minutes) = (whole / 3600, whole / 60 % 60)
      return hours > 0
        ? String(format: "%d:%02d:%02d", hours, minutes, whole % 60)
        : String(format: "%d:%02d", minutes, whole % 60)
    }
  }
}
