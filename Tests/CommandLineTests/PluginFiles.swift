import Foundation
import Testing

/// Plug-ins that the tests build with the host's C compiler, once.
struct PluginFiles: Sendable {
  /// The example of Benchmarks/Plugin, and the one that does nothing.
  let direct: String
  let null: String
  /// The example with the flaw that DOORBELL_FLAW names.
  let flawed: String
  /// A shared object that is no plug-in.
  let empty: String

  /// Nil where no compiler is.
  static let built: Result<PluginFiles, any Error>? = {
    guard let compiler else { return nil }
    return Result { try PluginFiles(compiler) }
  }()

  static let absence: Comment = "no C compiler: neither cc nor clang is on the PATH"
  static var areThere: Bool { built != nil }

  private static let compiler: String? = ["cc", "clang"].first {
    (try? Tool.pipeline("command -v \"$1\"", $0).status) == 0
  }

  private init(_ compiler: String) throws {
    let folder = NSTemporaryDirectory() + "/doorbell-test-plugins-\(getpid())"
    let example = Tool.repository + "/Benchmarks/Plugin"
    let flaws = Tool.repository + "/Tests/CommandLineTests/Plugins/flawed.c"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    direct = folder + "/direct.so"
    null = folder + "/null.so"
    flawed = folder + "/flawed.so"
    empty = folder + "/empty.so"
    let built = try Tool.pipeline(
      """
      set -e
      cd "$2"
      flags="-O1 -std=c11 -fPIC -shared -I ../../Sources/CDoorbellBackend/include"
      "$1" $flags direct.c its.c smmu.c -o "$3/direct.so"
      "$1" $flags null.c -o "$3/null.so"
      "$1" $flags -D_GNU_SOURCE -Ddoorbell_backend_open=direct_open -c direct.c -o "$3/direct.o"
      "$1" $flags -D_GNU_SOURCE "$4" "$3/direct.o" its.c smmu.c -o "$3/flawed.so"
      echo 'int nothing;' | "$1" $flags -x c - -o "$3/empty.so"
      """, compiler, example, folder, flaws)
    guard built.status == 0 else { throw BuildError(text: built.text) }
  }

  struct BuildError: Error { var text: String }
}
