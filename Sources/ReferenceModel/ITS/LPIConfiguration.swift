/// One byte of an LPI configuration table (IHI 0069, §5.1.1).
///
///     7:2 priority[7:2]   1 RES1 (Linux: group 1)   0 enable
package struct LPIConfiguration: Hashable, Sendable {
  package var byte: UInt8

  package init(byte: UInt8) { self.byte = byte }
  package init(priority: UInt8, enabled: Bool) {
    byte = priority & 0xFC | 0b10 | (enabled ? 1 : 0)
  }

  /// 0 is the most urgent. The two lowest bits read as 0.
  package var priority: UInt8 { byte & 0xFC }
  package var isEnabled: Bool { byte & 1 == 1 }

  /// Priority 0xA0, enabled: what Linux gives to an LPI in use.
  package static let linuxDefault = LPIConfiguration(priority: 0xA0, enabled: true)
}
