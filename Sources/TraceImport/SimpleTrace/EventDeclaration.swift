/// A trace event as QEMU's `trace-events` files declare it:
///
///     [disable] [vcpu] name(type argument, …) "format" PRIx64 "format"
///
/// (QEMU, docs/devel/tracing.rst, "Declaring trace events"). The order of the arguments is that of
/// their values in a record, and the format is what QEMU's log prints.
struct EventDeclaration: Hashable {
  enum Argument: Hashable {
    case text
    case number(bits: UInt64)
  }

  var name: String
  var arguments: [Argument]
  /// Nil if it is none that can be printed.
  var format: PrintFormat?
  /// The event was left out of the build, and has no number.
  var isDisabled: Bool

  /// - Returns: nil if the line declares nothing.
  init?(_ line: some StringProtocol) {
    guard let open = line.firstIndex(of: "("), !line.hasPrefix("#") else { return nil }
    var words = line[..<open].split(separator: " ")
    guard let name = words.popLast(), name.utf8.allSatisfy(LineText.isWord) else { return nil }
    let behind = line[line.index(after: open)...]
    guard let close = behind.firstIndex(of: ")") else { return nil }
    self.name = String(name)
    isDisabled = words.contains("disable")
    arguments = []
    for argument in behind[..<close].split(separator: ",") {
      if argument.split(separator: " ") == ["void"] { break }
      arguments.append(Self.argument(argument))
    }
    let text = Self.text(behind[behind.index(after: close)...])
    if let format = text.flatMap({ PrintFormat($0) }), format.conversionCount == arguments.count {
      self.format = format
    }
  }

  /// Values are stored as 64 bits whatever their type; the type says how many of them are printed.
  private static func argument(_ declaration: some StringProtocol) -> Argument {
    let words = declaration.split(whereSeparator: { $0 == " " || $0 == "*" })
    let stars = declaration.filter { $0 == "*" }.count
    if stars == 1, words.contains("char") { return .text }
    if stars > 0 { return .number(bits: 64) }
    // The last word is the name.
    for word in words.dropLast() {
      switch word {
      case "int8_t", "uint8_t", "char", "bool": return .number(bits: 8)
      case "int16_t", "uint16_t", "short": return .number(bits: 16)
      case "int64_t", "uint64_t", "long", "size_t", "ssize_t", "uintptr_t", "intptr_t", "hwaddr",
        "ram_addr_t", "off_t", "target_ulong":
        return .number(bits: 64)
      default: continue
      }
    }
    return .number(bits: 32)
  }

  /// Joins pieces in quotes and the macros between them, up to a comma: nil if it ends in a quote.
  private static func text(_ source: some StringProtocol) -> [UInt8]? {
    var text: [UInt8] = []
    var rest = Array(source.utf8)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): continue
      case UInt8(ascii: ","): return text
      case UInt8(ascii: "\""):
        guard quoted(&rest, into: &text) else { return nil }
      default:
        var macro = [byte]
        while let next = rest.first, LineText.isWord(next) { macro.append(rest.removeFirst()) }
        // PRIx64, HWADDR_PRIx: behind a "%", they end in length and conversion. Others hold the "%".
        let name = String(decoding: macro, as: UTF8.self)
        guard let letter = name.last(where: { "diuxX".contains($0) })?.asciiValue else {
          return nil
        }
        if !name.contains("PRI") { text.append(UInt8(ascii: "%")) }
        text.append(letter)
      }
    }
    return text
  }

  /// Up to the closing quote; only `\"`, `\\`, `\n` and `\t` are used.
  private static func quoted(_ rest: inout ArraySlice<UInt8>, into text: inout [UInt8]) -> Bool {
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\"") { return true }
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      guard let next = rest.popFirst() else { return false }
      switch next {
      case UInt8(ascii: "n"), UInt8(ascii: "t"): text.append(UInt8(ascii: " "))
      default: text.append(next)
      }
    }
    return false
  }
}
