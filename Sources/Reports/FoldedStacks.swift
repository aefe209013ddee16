import Foundation

/// What `perf script` prints of samples, folded: one line for each stack, from the outermost frame to the
/// innermost, and how many samples had it. It is what flame graphs are drawn of
/// (<https://github.com/brendangregg/FlameGraph>; also speedscope.app and profiler.firefox.com read it).
///
/// A sample in `perf script -F comm,ip,sym,dso` is a line with the process's name, one line for each frame from
/// the innermost out, indented, as `ADDRESS SYMBOL (FILE)`, and a blank one.
public struct FoldedStacks {
  private var counts: [String: Int] = [:]
  public private(set) var samples = 0

  public init() {}

  public var stacks: Int { counts.count }

  /// - Parameters:
  ///   - script: what perf printed.
  ///   - root: frames that all of its stacks are put below.
  ///   - name: what a symbol is called, such as its demangled name.
  public mutating func add(
    script: String, root: [String], name: (String) -> String = { $0 }
  ) {
    var frames: [String] = []
    var isInSample = false
    func end(_ counts: inout [String: Int]) {
      guard isInSample else { return }
      counts[(root + frames.reversed()).map(Self.cleaned).joined(separator: ";"), default: 0] += 1
      samples += 1
      frames.removeAll()
      isInSample = false
    }
    for line in script.split(separator: "\n", omittingEmptySubsequences: false) {
      guard let first = line.first else {
        end(&counts)
        continue
      }
      if !first.isWhitespace {
        end(&counts)
        isInSample = !line.hasPrefix("#")
      } else if let frame = Self.frame(line, name) {
        frames.append(frame)
      }
    }
    end(&counts)
  }

  /// Sorted, so that the same samples give the same text.
  public func text() -> String {
    counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }.joined()
  }

  /// Frames of the kernel end in `_[k]`, by which flame graphs colour them.
  private static func frame(_ line: Substring, _ name: (String) -> String) -> String? {
    let words = line.drop(while: \.isWhitespace)
    guard let gap = words.firstIndex(of: " ") else { return nil }
    var symbol = words[words.index(after: gap)...]
    var isKernel = false
    // A symbol of C++ may hold parentheses; the last ones are the file's.
    if symbol.hasSuffix(")"), let open = symbol.range(of: " (", options: .backwards) {
      isKernel = symbol[open.upperBound...].hasPrefix("[kernel") || symbol.hasSuffix(".ko)")
      symbol = symbol[..<open.lowerBound]
    }
    return name(String(symbol)) + (isKernel ? "_[k]" : "")
  }

  /// The semicolon stands between frames, the last blank before the count, the line end between stacks.
  private static func cleaned(_ frame: String) -> String {
    String(frame.map { $0 == ";" ? ":" : $0.isNewline ? " " : $0 })
  }
}
