import Glibc

/// What the kernel tells in files, below a folder: `/` on the host itself, or a copy of its /proc and
/// /sys.
package struct SystemFiles: Sendable {
  package let root: String

  /// - Parameter root: a folder, with or without a slash at its end.
  package init(root: String = "/") {
    self.root = root.hasSuffix("/") ? String(root.dropLast()) : root
  }

  package var isThisHost: Bool { root.isEmpty }

  /// The text of a file, its first MiB; nil if there is none or it cannot be read.
  /// - Parameter path: from the root, such as "/proc/loadavg".
  package func text(_ path: String) -> String? {
    // Safety: the path is NUL-terminated for the call; reads stay within the buffer.
    let descriptor = unsafe open(root + path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while bytes.count < 1 << 20 {
      let count = unsafe read(descriptor, &buffer, buffer.count)
      if count < 0 { return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }
      guard count > 0 else { break }
      bytes += buffer[0..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The first line without blanks around it; nil if there is no such file or the line is empty.
  package func line(_ path: String) -> String? {
    guard let first = text(path)?.split(separator: "\n", omittingEmptySubsequences: false).first
    else { return nil }
    let line = Self.trimmed(first)
    return line.isEmpty ? nil : line
  }

  package func number(_ path: String) -> Int? { line(path).flatMap { Int($0) } }

  /// The names in a folder, in order; empty if there is none.
  package func names(in folder: String) -> [String] {
    // Safety: the path is NUL-terminated for the call; an entry is valid until the next is read.
    guard let stream = unsafe opendir(root + folder) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// The first value of a field of /proc/cpuinfo.
  package func cpuInfo(field: String) -> String? {
    guard let text = text("/proc/cpuinfo") else { return nil }
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, Self.trimmed(parts[0]) == field else { continue }
      return Self.trimmed(parts[1])
    }
    return nil
  }

  static func trimmed(_ text: Substring) -> String {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return String(text)
  }

  /// CPUs of a list as the kernel writes it, such as "0-3,8"; nil if it is no list.
  package static func cpus(_ list: String) -> [Int]? {
    var cpus: [Int] = []
    for part in list.split(separator: ",") {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends[0], ends.count <= 2, let last = ends.last ?? first, first >= 0,
        last >= first, last < 8_192
      else { return nil }
      cpus += Array(first...last)
    }
    return cpus
  }

  /// The other way: "0-3,8".
  package static func list(_ cpus: some Sequence<Int>) -> String {
    var ranges: [ClosedRange<Int>] = []
    for cpu in Set(cpus).sorted() {
      if let last = ranges.last, last.upperBound + 1 == cpu {
        ranges[ranges.count - 1] = last.lowerBound...cpu
      } else {
        ranges.append(cpu...cpu)
      }
    }
    return ranges.map {
      $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
    }.joined(separator: ",")
  }
}
