import CDoorbellBackend

/// Why a plug-in cannot be loaded, or what it did that no design may do.
package enum PluginError: Error, Hashable, Sendable {
  /// What the dynamic linker says.
  case notLoadable(path: String, reason: String)
  case missingSymbol(path: String)
  /// `doorbell_backend_open` gave NULL.
  case refusedVersion(path: String)
  case wrongVersion(path: String, found: UInt32)
  case structureTooSmall(path: String, found: UInt32)
  case unknownCapabilities(path: String, bits: UInt64)
  case missingFunction(path: String, name: String)
  case badName(path: String, field: String)
  case tooManyCounters(path: String, count: UInt32)
  case unknownCounter(path: String, name: String)
  /// `create` gave NULL.
  case noInstance(name: String, message: String)

  // What it did.
  case wrongCount(name: String, expected: Int, found: Int)
  case unanswered(name: String, index: Int)

  /// Whether the plug-in could not be used at all, rather than being used and found wrong.
  package var isOfLoading: Bool {
    switch self {
    case .wrongCount, .unanswered: false
    default: true
    }
  }
}

extension PluginError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notLoadable(let path, let reason):
      "\(path): could not be loaded: \(reason)"
    case .missingSymbol(let path):
      "\(path): missing symbol: it exports no 'doorbell_backend_open'; is it a plug-in, and is the "
        + "function visible (in C++: extern \"C\")?"
    case .refusedVersion(let path):
      "\(path): wrong version: it refuses interface version \(Self.text(Self.hostVersion)); use a "
        + "plug-in that was built with this version's doorbell_backend.h"
    case .wrongVersion(let path, let found):
      "\(path): wrong version: it was built for interface version \(Self.text(found)), this tool has "
        + "\(Self.text(Self.hostVersion)); build it with this version's doorbell_backend.h"
    case .structureTooSmall(let path, let found):
      "\(path): its struct doorbell_backend has \(found) bytes, \(Self.structureBytes) expected; set "
        + "struct_size to sizeof(struct doorbell_backend)"
    case .unknownCapabilities(let path, let bits):
      "\(path): it asks for capabilities 0x\(String(bits, radix: 16)), which this tool does not know; "
        + "use a newer doorbell"
    case .missingFunction(let path, let name):
      "\(path): its function '\(name)' is NULL, which its capabilities and counters do not allow"
    case .badName(let path, let field):
      "\(path): its \(field) is not 1…63 of the characters A-Z a-z 0-9 - _ . +"
    case .tooManyCounters(let path, let count):
      "\(path): it has \(count) counters, \(DOORBELL_COUNTER_LIMIT) at most are possible"
    case .unknownCounter(let path, let name):
      "\(path): it counts '\(name)', twice or under a name that this tool does not know; "
        + "WorkCounters.fields holds the names"
    case .noInstance(let name, let message):
      "\(name): create made no instance: \(message)"
    case .wrongCount(let name, let expected, let found):
      "\(name): translate says that it answered \(found) accesses where \(expected) were asked"
    case .unanswered(let name, let index):
      "\(name): translate left access \(index) of a batch without an answer"
    }
  }

  static let hostVersion = UInt32(DOORBELL_ABI_MAJOR) << 16 | UInt32(DOORBELL_ABI_MINOR)
  static let structureBytes = unsafe UInt32(MemoryLayout<doorbell_backend>.size)

  private static func text(_ version: UInt32) -> String { "\(version >> 16).\(version & 0xFFFF)" }
}
