/// Why a live recording cannot be made, or not go on.
package enum RecordError: Error, Equatable {
  /// No tracefs at any of these places.
  case notMounted(places: [String])
  /// A file of tracefs refused an operation. `code` is `errno`.
  case refused(path: String, operation: String, code: Int32)
  /// The kernel has no tracepoints of these names.
  case missingEvents([TracepointName], tracefs: String)
  /// None of the tracepoints that a recording takes by itself is there.
  case noEvents(lookedFor: [TracepointName], tracefs: String)
  /// An instance of this name exists: it is somebody's.
  case instanceExists(path: String)
  /// A file of tracefs holds something else than this version knows.
  case malformed(path: String, expected: String, found: String)
}

extension RecordError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notMounted(let places):
      "no tracefs at \(places.joined(separator: " or ")); mount it with "
        + "'mount -t tracefs nodev \(places.first ?? "")' (the kernel needs CONFIG_TRACING)"
    case .refused(let path, let operation, let code):
      "\(path): \(operation) failed with error \(code) (\(ImportError.text(code)))"
        + (ImportError.isPermission(code) ? "; recording needs root" : "")
    case .missingEvents(let names, let tracefs):
      "\(tracefs): this kernel has no event \(Self.list(names)); see 'doorbell record --list' for "
        + "those that are known, and \(tracefs)/available_events for all"
    case .noEvents(let names, let tracefs):
      "\(tracefs): this kernel has none of the events \(Self.list(names)); load the module that has "
        + "them (kvm, an IOMMU driver), or name others with '--event'"
    case .instanceExists(let path):
      "\(path): this trace instance exists already, and somebody may be using it; choose another "
        + "name with '--instance', or remove it with 'rmdir \(path)'"
    case .malformed(let path, let expected, let found):
      "\(path): expected \(expected), found \(found)"
    }
  }

  private static func list(_ names: [TracepointName]) -> String {
    names.map(\.description).joined(separator: ", ")
  }
}
