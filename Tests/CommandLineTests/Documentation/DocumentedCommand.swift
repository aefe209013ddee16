import Foundation

/// A command that a page shows, with what the page says it prints.
///
/// In a fence `console`, a line that begins with `$ ` is a command; a backslash at its end continues it. What
/// follows, to the next command, is output. Attributes of the fence:
///
///     exit=3          the commands end with this instead of 0
///     needs=root      not run where that is missing (`Need`)
///     by=Tests/x      who runs it instead: a file of the repository
struct DocumentedCommand {
  enum Need: String, CaseIterable {
    /// Takes minutes in a debug build; run by `make soak`, on the optimized one.
    case optimized
    /// The same, and /dev/kvm.
    case kvm
    /// The same, and valgrind.
    case valgrind
    /// A C compiler.
    case compiler
    /// The same, and perf(1) where it may record.
    case perf
    /// patch(1).
    case patch
    /// python3 with jsonschema.
    case jsonschema
    case root, network, slurm, qemu
    /// Builds packages or the whole of Doorbell.
    case toolchain

    var isMet: Bool {
      switch self {
      case .optimized: DocumentedCommand.isOptimized
      case .kvm:
        DocumentedCommand.isOptimized && FileManager.default.isWritableFile(atPath: "/dev/kvm")
      case .valgrind:
        DocumentedCommand.isOptimized
          && FileManager.default.isExecutableFile(atPath: "/usr/bin/valgrind")
      case .compiler: PluginFiles.areThere
      case .perf:
        DocumentedCommand.isOptimized
          && (try? Tool.pipeline("perf record -q -e cpu-clock -o /dev/null true").status) == 0
      case .patch: (try? Tool.pipeline("command -v patch").status) == 0
      case .jsonschema: SchemaTests.hasValidator
      case .root, .network, .slurm, .qemu, .toolchain: false
      }
    }
  }

  /// The executable that the pages are tried with. `make soak` names the optimized one.
  static let tool =
    ProcessInfo.processInfo.environment["DOORBELL_DOCUMENTED"].map {
      URL(fileURLWithPath: $0).standardizedFileURL.path
    } ?? Tool.path
  static var isOptimized: Bool { tool != Tool.path }

  var page: String
  var line: Int
  var text: String
  var output: [String] = []
  var status: Int32 = 0
  var need: Need?
  var runner: String?

  var place: String { "\(page):\(line)" }

  enum Flaw: Error, CustomStringConvertible {
    case unknownAttribute(place: String, text: String)
    var description: String {
      switch self {
      case .unknownAttribute(let place, let text):
        "\(place): the fence says '\(text)'; there are exit=N, by=FILE and needs="
          + Need.allCases.map(\.rawValue).joined(separator: ", needs=")
      }
    }
  }

  /// The commands of a fence `console`, in order.
  static func all(of fence: MarkdownPage.Fence, page: String) throws -> [DocumentedCommand] {
    var template = DocumentedCommand(page: page, line: fence.line, text: "")
    for (name, value) in fence.attributes {
      switch name {
      case "exit": template.status = Int32(value) ?? -1
      case "by": template.runner = value
      case "needs":
        guard let need = Need(rawValue: value) else { fallthrough }
        template.need = need
      default:
        throw Flaw.unknownAttribute(place: "\(page):\(fence.line)", text: "\(name)=\(value)")
      }
    }
    var commands: [DocumentedCommand] = []
    var continues = false
    for (index, line) in fence.lines.enumerated() {
      if continues {
        commands[commands.count - 1].text += "\n" + line
      } else if line.hasPrefix("$ ") {
        var command = template
        command.line = fence.line + 1 + index
        command.text = String(line.dropFirst(2))
        commands.append(command)
      } else if !commands.isEmpty {
        commands[commands.count - 1].output.append(line)
      }
      continues = (continues || line.hasPrefix("$ ")) && line.hasSuffix("\\")
    }
    return commands
  }
}
