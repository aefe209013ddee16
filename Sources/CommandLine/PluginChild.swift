import Backends
import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// A process that runs one plug-in for this one, and what became of it: a plug-in that crashes or hangs
/// takes a child along and no more.
///
/// An interruption ends the child, if the caller has called `Interruption.requestsStop`.
/// The two share a folder. The child stores where it is in its page `status` (`PluginStatus`) and writes
/// its results to `result`; what the plug-in prints goes to stderr.
struct PluginChild {
  enum Fate {
    /// The results, as the child wrote them.
    case finished(Data)
    /// The plug-in cannot be used.
    case notLoadable(String)
    /// It did what no design may do.
    case broken(Breach)
  }

  struct Breach {
    enum Kind: String, Codable {
      case differs, crashed, hung
      /// A count that is not right, an answer that is missing, work that differs between passes.
      case wrong = "broke the interface"
      case endedTheProcess = "ended the process"
    }
    var kind: Kind
    var text: String
  }

  /// The plug-in, as the user named it.
  var plugin: String
  /// A call may take this long.
  var deadline: TimeInterval

  /// Runs this tool: verb, `option` with `prefix` and the shared folder, and the other arguments.
  func run(_ arguments: [String], option: String, prefix: String = "") throws -> Fate {
    let folder = NSTemporaryDirectory() + "/doorbell-plugin-\(UUID().uuidString)"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw Failure("\(folder): cannot be created: \(error.localizedDescription)")
    }
    defer { try? FileManager.default.removeItem(atPath: folder) }
    guard
      FileManager.default.createFile(
        atPath: Self.statusPath(folder), contents: Data(count: PluginStatus.byteCount))
    else { throw Failure.ofSystem("creating a file", path: Self.statusPath(folder)) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe")
    process.arguments = [arguments[0], option, prefix + folder] + arguments.dropFirst()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.standardError
    // A crash is told here, in words; the runtime's own account of it would stand between them.
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["SWIFT_BACKTRACE": "enable=no"]
    ) { _, new in new }
    do {
      try process.run()
    } catch {
      throw Failure("the process for \(plugin) could not be started: \(error)")
    }
    let hung = watch(process, folder)
    process.waitUntilExit()
    guard !Interruption.isStopRequested else {
      throw Interruption.Stopped(consequence: "nothing is known of \(plugin)")
    }
    return try fate(process, folder, hung: hung)
  }

  /// Waits for the process; ends it when one call has taken longer than the deadline.
  private func watch(_ process: Process, _ folder: String) -> Bool {
    var seen: (calls: UInt64, since: Date)?
    while process.isRunning {
      Thread.sleep(forTimeInterval: 0.005)
      if Interruption.isStopRequested {
        // It may hang.
        kill(process.processIdentifier, SIGKILL)
        return false
      }
      guard let position = position(folder), position.call != .none else {
        seen = nil
        continue
      }
      if let last = seen, last.calls == position.calls {
        guard Date().timeIntervalSince(last.since) > deadline else { continue }
        kill(process.processIdentifier, SIGKILL)
        return true
      }
      seen = (position.calls, Date())
    }
    return false
  }

  private func fate(_ process: Process, _ folder: String, hung: Bool) throws -> Fate {
    guard let position = position(folder) else {
      throw Failure("\(Self.statusPath(folder)): cannot be read; was the folder removed?")
    }
    switch position.ending {
    case .finished:
      guard let result = FileManager.default.contents(atPath: Self.resultPath(folder)) else {
        throw Failure.ofSystem("reading the results", path: Self.resultPath(folder))
      }
      return .finished(result)
    case .notLoadable: return .notLoadable(position.text)
    case .nonconforming: return .broken(.init(kind: .wrong, text: position.text))
    case .hostFailed: throw Failure(position.text)
    case .none: break
    }
    let breach: Breach
    if hung {
      breach = .init(
        kind: .hung, text: "no return within \(deadline.formatted()) s \(position.description)")
    } else if process.terminationReason == .uncaughtSignal {
      breach = .init(
        kind: .crashed,
        text: "\(Self.signalName(process.terminationStatus)) \(position.description)")
    } else {
      breach = .init(
        kind: .endedTheProcess,
        text: "exit status \(process.terminationStatus) \(position.description)")
    }
    return position.call == .load
      ? .notLoadable("\(plugin): \(breach.kind.rawValue): \(breach.text)") : .broken(breach)
  }

  private func position(_ folder: String) -> PluginPosition? {
    FileManager.default.contents(atPath: Self.statusPath(folder)).flatMap {
      PluginPosition(page: Array($0))
    }
  }

  static func statusPath(_ folder: String) -> String { folder + "/status" }
  static func resultPath(_ folder: String) -> String { folder + "/result" }

  private static func signalName(_ number: Int32) -> String {
    let names: [Int32: String] = [
      SIGSEGV: "SIGSEGV", SIGBUS: "SIGBUS", SIGABRT: "SIGABRT", SIGFPE: "SIGFPE", SIGILL: "SIGILL",
      SIGTRAP: "SIGTRAP", SIGKILL: "SIGKILL", SIGTERM: "SIGTERM", SIGINT: "SIGINT",
    ]
    return names[number] ?? "signal \(number)"
  }
}

extension PluginChild {
  /// The child's side: loads the plug-in, lets `body` work with it and hands over what it gives. Does not
  /// return: nothing of the plug-in's runs after the results are written.
  static func serve(
    _ folder: String, plugin: String, _ body: (PluginLibrary, PluginStatus) throws -> some Encodable
  ) throws -> Never {
    let path = statusPath(folder)
    guard let status = PluginStatus(path: path) else {
      throw Failure.ofSystem("mapping the page", path: path)
    }
    status.followParent()
    do {
      let library = try PluginLibrary(path: plugin, status: status)
      let result = try JSONEncoder().encode(try body(library, status))
      try result.write(to: URL(fileURLWithPath: resultPath(folder)))
      status.end(.finished)
      _exit(0)
    } catch let error as PluginError {
      status.end(error.isOfLoading ? .notLoadable : .nonconforming, "\(error)")
    } catch let failure as Failure where failure.status == .regression {
      status.end(.nonconforming, "\(failure)")
    } catch {
      status.end(.hostFailed, "\(error)")
    }
    _exit(PluginStatus.failureStatus)
  }
}
