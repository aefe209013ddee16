/// Event numbers (IHI 0070, §7.3) by the names that QEMU prints (hw/arm/smmuv3.c).
enum SMMUEventName {
  private static var names: [(StaticString, UInt8)] {
    [
      ("F_TRANSLATION", 0x10), ("F_PERMISSION", 0x13), ("F_ADDR_SIZE", 0x11), ("F_ACCESS", 0x12),
      ("F_UUT", 0x01), ("C_BAD_STREAMID", 0x02), ("C_BAD_SID", 0x02), ("F_STE_FETCH", 0x03),
      ("C_BAD_STE", 0x04), ("F_BAD_ATS_TREQ", 0x05), ("F_STREAM_DISABLED", 0x06),
      ("F_TRANS_FORBIDDEN", 0x07), ("F_TRANSL_FORBIDDEN", 0x07), ("C_BAD_SSID", 0x08),
      ("C_BAD_SUBSTREAMID", 0x08), ("F_CD_FETCH", 0x09), ("C_BAD_CD", 0x0A),
      ("F_WALK_EABT", 0x0B), ("F_TLB_CONFLICT", 0x20), ("F_CFG_CONFLICT", 0x21),
      ("E_PAGE_REQ", 0x24), ("E_PAGE_REQUEST", 0x24),
    ]
  }

  /// The number of the event that `text` starts with.
  static func number(_ text: LineText) -> UInt8? {
    guard text.has("SMMU_EVT_", at: 0) else { return nil }
    for (name, number) in names where text.has(name, at: 9) {
      if text[9 + name.utf8CodeUnitCount] == UInt8(ascii: " ") { return number }
    }
    return nil
  }
}
