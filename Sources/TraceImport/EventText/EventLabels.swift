package import EventModel

// The words for what is not a number, each with its way back.

extension EventOrigin {
  private static let names = ["synthetic", "emulator", "guest", "host"]

  package var label: String {
    rawValue < Self.names.count ? Self.names[Int(rawValue)] : "origin-\(rawValue)"
  }

  package init?(label: String) {
    let number = label.hasPrefix("origin-") ? UInt8(label.dropFirst(7)) : nil
    guard let value = number ?? Self.names.firstIndex(of: label).map({ UInt8($0) })
    else { return nil }
    self.init(rawValue: value)
  }
}

extension EventKind {
  package init?(label: String) {
    guard let kind = Self.byLabel[label] else { return nil }
    self = kind
  }

  private static let byLabel = Dictionary(
    EventKind.all.map { ($0.description, $0) }, uniquingKeysWith: { first, _ in first })
}

extension InterruptTarget {
  /// "pe3" or "vpe17".
  package var label: String { (isVPE ? "vpe" : "pe") + String(number) }

  package init?(label: String) {
    let isVPE = label.hasPrefix("vpe")
    guard isVPE || label.hasPrefix("pe"), let number = UInt16(label.dropFirst(isVPE ? 3 : 2)),
      number <= 0x7FFF
    else { return nil }
    self = isVPE ? .vpe(number) : .pe(number)
  }
}

extension EventFlags {
  private static let names: [(flag: EventFlags, name: String)] = [
    (.read, "read"), (.write, "write"), (.readable, "readable"), (.writable, "writable"),
    (.addressRecorded, "address-recorded"), (.interruptRecorded, "interrupt-recorded"),
    (.substreamValid, "substream"), (.inferred, "inferred"),
  ]

  /// "write|address-recorded".
  package var label: String {
    Self.names.filter { contains($0.flag) }.map(\.name).joined(separator: "|")
  }

  package init?(label: String) {
    self = []
    for part in label.split(separator: "|") {
      guard let flag = Self.names.first(where: { $0.name == part })?.flag else { return nil }
      insert(flag)
    }
  }
}

extension OutcomeClass {
  /// By its description, such as "delivered" or "lost: unmapped device".
  package init?(label: String) {
    guard let value = Self.byLabel[label] else { return nil }
    self.init(rawValue: value)
  }

  private static let byLabel = Dictionary(
    (0...UInt8.max).map { (OutcomeClass(rawValue: $0).description, $0) },
    uniquingKeysWith: { first, _ in first })
}
