import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// Colours of a stream: on a terminal only, and none where the environment says `NO_COLOR`
/// (no-color.org); anywhere where it says `CLICOLOR_FORCE` (bixense.com/clicolors).
struct Style {
  /// Parameters of SGR (ECMA-48, 8.3.117).
  enum Colour: Int {
    case red = 31
    case green = 32
    case yellow = 33
  }

  private let isOn: Bool

  static let standardError = Style(descriptor: STDERR_FILENO)
  static let standardOutput = Style(descriptor: STDOUT_FILENO)

  private init(descriptor: Int32) {
    let environment = ProcessInfo.processInfo.environment
    func isSet(_ name: String) -> Bool { environment[name].map { !$0.isEmpty } ?? false }
    isOn =
      !isSet("NO_COLOR")
      && (isSet("CLICOLOR_FORCE") && environment["CLICOLOR_FORCE"] != "0"
        || isatty(descriptor) == 1 && environment["TERM"] != "dumb")
  }

  func callAsFunction(_ text: String, _ colour: Colour) -> String {
    isOn ? "\u{1B}[1;\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }
}
