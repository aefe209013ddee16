import CDemangle
import Foundation
import Reports

/// `perf record` around this tool: where the time of a command goes, by stack.
///
/// Samples come from the kernel's own clock (cpu-clock), which virtual machines have, too; stacks are walked
/// by frame pointers, which every build of this tool keeps.
struct Perf {
  /// Odd, so that it does not keep step with what runs at a round rate.
  static let hertz = 997

  private let folder: String

  /// - Throws: `Failure` where there is no perf, or it may not look at a process.
  static func check() throws { try use { try $0.record(["/usr/bin/env", "true"]) } }

  /// Gives `body` a folder for what perf writes. An interruption ends perf, and the folder is gone in the end.
  static func use<Result>(_ body: (Perf) throws -> Result) throws -> Result {
    try Interruption.deferred(saying: "there is no profile") {
      let perf = Perf(
        folder: NSTemporaryDirectory() + "/doorbell-profile-\(UUID().uuidString)")
      try FileManager.default.createDirectory(
        atPath: perf.folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: perf.folder) }
      return try body(perf)
    }
  }

  /// Runs this tool with `words` under perf.
  ///
  /// - Parameter root: frames above all stacks.
  func profile(_ words: [String], root: [String], into stacks: inout FoldedStacks) throws {
    try record(["/proc/\(getpid())/exe"] + words)
    let script = try run(
      [
        "script", "--input", data, "--fields", "comm,ip,sym,dso", "--no-inline", "--force",
      ], to: "script")
    stacks.add(script: script, root: root, name: Self.demangled)
  }

  private var data: String { folder + "/perf.data" }

  private func record(_ words: [String]) throws {
    _ = try run(
      [
        "record", "--quiet", "--event", "cpu-clock", "--call-graph", "fp", "--freq",
        "\(Self.hertz)",
        "--output", data, "--",
      ] + words, to: "record")
  }

  /// - Returns: what it printed.
  private func run(_ words: [String], to name: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["perf"] + words
    process.standardInput = FileHandle.nullDevice
    let (out, said) = (folder + "/\(name).out", folder + "/\(name).err")
    process.standardOutput = try FileHandle(creating: out)
    process.standardError = try FileHandle(creating: said)
    try process.run()
    guard process.waitUntilExitOrStop() else {
      throw Interruption.Stopped(consequence: "there is no profile")
    }
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let text = FileManager.default.contents(atPath: said) ?? Data()
      throw Failure(
        process.terminationStatus == 127
          ? "perf: not available: it is not installed; install the Debian package linux-perf"
          : "perf: not available: 'perf \(name)' ended with \(process.terminationStatus); it said: "
            + Self.lastLines(String(decoding: text, as: UTF8.self)))
    }
    return String(decoding: FileManager.default.contents(atPath: out) ?? Data(), as: UTF8.self)
  }

  private static func lastLines(_ text: String) -> String {
    text.split(separator: "\n").suffix(3).joined(separator: "\n  ")
  }

  /// Of Swift's symbols; others stay as they are.
  static func demangled(_ symbol: String) -> String {
    guard symbol.hasPrefix("$s") else { return symbol }
    // Safety: the text is NUL-terminated and lives for the call; what it returns is ours to free.
    guard let name = unsafe doorbell_demangled(symbol, symbol.utf8.count) else { return symbol }
    defer { unsafe free(name) }
    return unsafe String(cString: name)
  }
}
