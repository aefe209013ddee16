import Foundation
import Testing

/// The part of the arm64 path that is C compiles for it without a warning. Nothing of it runs here.
@Suite struct ArmCompileTests {
  private static let headers = "/usr/aarch64-linux-gnu/include"

  private static let clang = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(
    separator: ":"
  )
  .map { "\($0)/clang" }.first { FileManager.default.isExecutableFile(atPath: $0) }

  private static let obstacle: Comment? =
    clang == nil
    ? "no clang on the PATH"
    : FileManager.default.fileExists(atPath: headers + "/linux/kvm.h")
      ? nil : "no \(headers)/linux/kvm.h (Debian: libc6-dev-arm64-cross)"

  @Test(
    .enabled(if: obstacle == nil, obstacle),
    arguments: [
      "CLive/CLive.c", "CLivePeer/Delivery.c", "CLivePeer/SetUp.c", "CLivePeer/Traps.c",
    ])
  func itCompiles(path: String) throws {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources")
    let file = sources.appendingPathComponent(path)
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: try #require(Self.clang))
    process.arguments = [
      "--target=aarch64-linux-gnu", "-nostdlibinc", "-isystem", Self.headers, "-fsyntax-only",
      "-Wall", "-Wextra", "-Werror",
      "-I", file.deletingLastPathComponent().appendingPathComponent("include").path, file.path,
    ]
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(output)")
  }
}
