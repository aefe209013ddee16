/// The name of a kernel tracepoint or probe: its system and its own.
package struct TracepointName: Sendable, Hashable {
  package var system: String
  package var name: String

  package init(_ system: String, _ name: String) {
    self.system = system
    self.name = name
  }

  /// "system:name", each of letters, digits and underscores, as the kernel takes them.
  package init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy(Self.isIdentifier) else { return nil }
    self.init(String(parts[0]), String(parts[1]))
  }

  /// Nothing else goes into a path: no slash, no dot, no blank.
  private static func isIdentifier(_ text: Substring) -> Bool {
    (1...128).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }

  /// The event's folder below that of an instance.
  var folder: String { "events/\(system)/\(name)" }
}

extension TracepointName: CustomStringConvertible {
  package var description: String { "\(system):\(name)" }
}
