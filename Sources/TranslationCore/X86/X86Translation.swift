/// What an interrupt-remapping unit made of one request.
@frozen
package struct X86Translation: Hashable, Sendable {
  @frozen
  package enum Kind: UInt8, Sendable {
    /// Sent on to `destination` with `vector`.
    case interrupt
    /// Set in a posted-interrupt descriptor or a vAPIC page.
    case posted
    /// Refused; `code` says why (VT-d fault reason 0x20…0x26; AMD: 0x30 + `AMDCore.Drop`).
    case dropped
  }
  package var kind: Kind
  package var vector: UInt8
  package var code: UInt8
  /// posted: the request was pending already.
  package var coalesced: Bool
  /// posted: a notification or a doorbell went out.
  package var notified: Bool
  /// APIC ID; for `posted`, the descriptor's number or the GATag.
  package var destination: UInt32

  @inlinable
  package init(
    kind: Kind, vector: UInt8 = 0, code: UInt8 = 0, coalesced: Bool = false, notified: Bool = false,
    destination: UInt32 = 0
  ) {
    self.kind = kind
    self.vector = vector
    self.code = code
    self.coalesced = coalesced
    self.notified = notified
    self.destination = destination
  }
}
