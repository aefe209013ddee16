/// What a client device asks for, beside the address. An MSI is `.write`.
package struct SMMUAccess: Hashable, Sendable {
  package var write: Bool
  package var privileged = false
  /// An instruction fetch; only reads are.
  package var instruction = false
  package var kind = Kind.untranslated

  package enum Kind: Hashable, Sendable {
    case untranslated
    /// A PCIe transaction whose address came from an ATS translation (IHI 0070, §3.9).
    case atsTranslated
    /// An ATS Translation Request. Faults of the tables are answers to it, not events.
    case atsRequest
    /// A transaction that the bus cannot express to the SMMU (IHI 0070, §16.7.1).
    case unsupported
  }

  package init(
    write: Bool, privileged: Bool = false, instruction: Bool = false, kind: Kind = .untranslated
  ) {
    self.write = write
    self.privileged = privileged
    self.instruction = instruction && !write
    self.kind = kind
  }

  package static let read = SMMUAccess(write: false)
  package static let write = SMMUAccess(write: true)
}
