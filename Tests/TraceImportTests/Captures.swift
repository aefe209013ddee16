import Glibc

/// The recordings: in the folder that DOORBELL_CAPTURES names, or beside the package.
enum Captures {
  static let folder: String = {
    // Safety: nothing in the tests changes the environment.
    let named = unsafe getenv("DOORBELL_CAPTURES").map { unsafe String(cString: $0) }
    let package = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return named ?? package.joined(separator: "/") + "/../shared/captures"
  }()

  static func path(_ name: String) -> String { folder + "/" + name }

  /// Whether a path can be read.
  static func has(_ path: String) -> Bool {
    // Safety: Swift passes a NUL-terminated copy of the path that outlives the call.
    unsafe access(path, R_OK) == 0
  }
}
