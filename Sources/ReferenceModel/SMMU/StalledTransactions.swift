/// Transactions that wait for software's word after a fault (IHI 0070, §3.12.2).
package struct StalledTransactions: Sendable {
  package struct Transaction: Hashable, Sendable {
    package var streamID: UInt32
    package var substreamID: UInt32?
    package var address: UInt64
    package var access: SMMUAccess
  }

  /// How a stalled transaction ended.
  package enum Resolution: Hashable, Sendable {
    case retried(SMMUResult)
    case aborted
    case readZeroWriteIgnored
  }

  package internal(set) var waiting: [UInt16: Transaction] = [:]
  package internal(set) var resolved: [UInt16: Resolution] = [:]

  /// Takes the lowest free STAG; nil when all are in use, and the transaction is terminated.
  mutating func stall(_ transaction: Transaction) -> UInt16? {
    guard waiting.count <= Int(UInt16.max) else { return nil }
    var stag: UInt16 = 0
    while waiting[stag] != nil { stag += 1 }
    waiting[stag] = transaction
    resolved[stag] = nil
    return stag
  }
}
