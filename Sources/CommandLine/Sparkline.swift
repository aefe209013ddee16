import Foundation

/// A curve in one line of text.
enum Sparkline {
  private static let blocks = Array("▁▂▃▄▅▆▇█")
  private static let ascii = Array("_.-~+*#@")

  /// Whether the user's terminal takes UTF-8, as POSIX tells it (XBD 8.2: the first that is set counts).
  static var takesUTF8: Bool {
    let environment = ProcessInfo.processInfo.environment
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }
      .first { !$0.isEmpty }
    return locale.map { $0.lowercased().replacing("-", with: "").contains("utf8") } ?? false
  }

  /// One character for each value, by its share of the largest; a blank for nothing at all.
  static func text(_ values: [Double], utf8: Bool = takesUTF8) -> String {
    let steps = utf8 ? blocks : ascii
    let largest = values.max() ?? 0
    return String(
      values.map { value in
        guard value > 0, largest > 0 else { return " " }
        return steps[min(steps.count - 1, Int(value / largest * Double(steps.count)))]
      })
  }
}
