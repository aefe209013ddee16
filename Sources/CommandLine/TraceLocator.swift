import Foundation

/// Finds the trace that `replay` uses when none is named.
enum TraceLocator {
  static let defaultName = "nvme.dbtrace"

  /// Looks in `Traces/` of the current folder, beside the executable and above it (a build tree),
  /// and in `share/doorbell/traces` of an installation.
  static func defaultTrace() throws(Failure) -> String {
    try tracesFolder() + "/" + defaultName
  }

  /// Every trace that comes with the tool, by name.
  static func shippedTraces() throws(Failure) -> [String] {
    let folder = try tracesFolder()
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".dbtrace") }.sorted().map { folder + "/" + $0 }
  }

  private static func tracesFolder() throws(Failure) -> String {
    var places = [FileManager.default.currentDirectoryPath + "/Traces"]
    var folder = executableFolder
    places.append(folder + "/../share/doorbell/traces")
    for _ in 0..<5 {
      places.append(folder + "/Traces")
      folder = (folder as NSString).deletingLastPathComponent
    }
    for place in places {
      if FileManager.default.isReadableFile(atPath: place + "/" + defaultName) { return place }
    }
    throw Failure(
      "no trace named, and \(defaultName) is in none of: \(places.joined(separator: ", ")); "
        + "name one, or make one with 'doorbell import'")
  }

  private static var executableFolder: String {
    let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return (path as NSString).deletingLastPathComponent
  }
}
