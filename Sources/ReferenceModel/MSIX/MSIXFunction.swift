/// The MSI-X capability of one PCI function: table, pending bit array, enable and function mask (PCI
/// Local Bus 3.0, §6.8.2; PCI Express Base 5.0, §6.1.4 and §7.7.2).
///
///     var function = MSIXFunction(vectorCount: 4)
///     function.control(enabled: true, masked: false)
///     function.write(offset: 0x0, value: 0xFFFF_F040, sizeBytes: 8)   // vector 0, address
///     function.write(offset: 0x8, value: 0, sizeBytes: 8)             // data 0, unmasked
///     function.raise(0)              // .message(address 0xFFFF_F040, data 0)
///
/// A vector is masked by its own bit or by the function mask. Raised while masked, its pending bit is
/// set; when the last mask goes, the message is sent with what the entry then holds, and the pending
/// bit is cleared (§6.8.3.4). While MSI-X is disabled a function sends no message and records none.
package struct MSIXFunction: Sendable {
  package enum Raise: Hashable, Sendable {
    case message(MSIXMessage)
    /// Masked: the pending bit is set (it may have been).
    case pending
    /// MSI-X is disabled.
    case disabled
    /// The table has no such vector.
    case noSuchVector
  }

  /// Table Size is an 11-bit field of value N − 1 (§6.8.2.3).
  package static let maximumVectorCount = 2048

  package private(set) var entries: [MSIXTableEntry]
  package private(set) var pendingBits: [Bool]
  /// Message Control bits 15 and 14.
  package private(set) var isEnabled = false
  package private(set) var isFunctionMasked = false
  /// Writes of a form that the specification leaves undefined; they had no effect.
  package private(set) var undefinedWrites: UInt64 = 0

  package init(vectorCount: Int) {
    let count = min(max(vectorCount, 1), Self.maximumVectorCount)
    entries = [MSIXTableEntry](repeating: MSIXTableEntry(), count: count)
    pendingBits = [Bool](repeating: false, count: count)
  }

  package func isMasked(_ vector: Int) -> Bool {
    isFunctionMasked || entries[vector].isMasked
  }

  /// The function has an interrupt to signal.
  package mutating func raise(_ vector: Int) -> Raise {
    guard entries.indices.contains(vector) else { return .noSuchVector }
    guard isEnabled else { return .disabled }
    if isMasked(vector) {
      pendingBits[vector] = true
      return .pending
    }
    return .message(entries[vector].message)
  }

  /// A write of Message Control.
  /// - Returns: messages of vectors that were pending and may go now, by vector.
  @discardableResult
  package mutating func control(enabled: Bool, masked: Bool) -> [MSIXMessage] {
    isEnabled = enabled
    isFunctionMasked = masked
    return sendUnmasked(entries.indices)
  }

  /// A write into the table, `offset` bytes from its start. Software must write aligned doublewords
  /// or quadwords (§6.8.2: anything else is undefined), so others are counted and ignored. A
  /// quadword at +8 changes data and mask at once.
  /// - Returns: the message that an unmasked pending vector sends.
  @discardableResult
  package mutating func write(offset: UInt32, value: UInt64, sizeBytes: UInt32) -> [MSIXMessage] {
    let vector = Int(offset / MSIXTableEntry.sizeBytes)
    guard sizeBytes == 4 || sizeBytes == 8, offset % sizeBytes == 0,
      entries.indices.contains(vector)
    else {
      undefinedWrites += 1
      return []
    }
    let field = offset % MSIXTableEntry.sizeBytes
    entries[vector][field] = UInt32(truncatingIfNeeded: value)
    if sizeBytes == 8 { entries[vector][field + 4] = UInt32(truncatingIfNeeded: value >> 32) }
    return sendUnmasked(vector..<(vector + 1))
  }

  /// A quadword of the pending bit array (§6.8.2.10): vectors 64 n … 64 n + 63. Read-only.
  package func pendingBitArray(_ quadword: Int) -> UInt64 {
    var value: UInt64 = 0
    for bit in 0..<64 where quadword >= 0 && quadword * 64 + bit < pendingBits.count {
      if pendingBits[quadword * 64 + bit] { value |= 1 << UInt64(bit) }
    }
    return value
  }

  private mutating func sendUnmasked(_ vectors: Range<Int>) -> [MSIXMessage] {
    guard isEnabled else { return [] }
    var messages: [MSIXMessage] = []
    for vector in vectors where pendingBits[vector] && !isMasked(vector) {
      pendingBits[vector] = false
      messages.append(entries[vector].message)
    }
    return messages
  }
}
