// Doorbells: how a device's interrupt message finds its way, and who has a say in it.
//
// A message is a write of *data* to an *address*. The data is an EventID and nobody on the way touches
// it; the address is translated like any other, and that is the argument. This folder holds its parts:
//
// · `DoorbellPolicy`: four ways for the address, and where a write ends under each (`arrival`).
// · `IORT`: the wiring by which a RequesterID becomes a StreamID for the SMMU and a DeviceID for the
//   ITS. No address has a part in it, so no guest can forge a DeviceID.
// · `ReservedRegion`, `AttachmentRule`: what firmware's statements about memory do to whoever wants the
//   device: the matrix of what is refused, by whom.
// · `VirtualSMMU`: which SMMU commands of a guest reach the hardware, and as what.
//
//     var smmu = …                                      // stage 1: 0xFFFF_F000 → 0x0809_0000 → ITS
//     let policy = DoorbellPolicy.nestedDoorbell(virtualPage: 0x0809_0000)
//     policy.arrival(of: 0xFFFF_F040, streamID: 8, frames: [itsFrame], through: &smmu)
//     // .translater(its: 0)
//
// It is not a model of an operating system: verdicts are read from Linux and cited, not computed.
// Values only; no threads. The fast forms are in TranslationCore, folder of the same name.

/// How a device's write to an MSI doorbell gets through the IOMMU: four answers, side by side.
///
/// The address that the device writes (IOVA), the address that stage 1 makes of it (IPA, for a
/// guest) and the physical page of the ITS are three different things, and the policies differ in
/// who chooses the first two.
package enum DoorbellPolicy: Hashable, Sendable {
  /// The host picks an IOVA in a window that no DMA mapping uses, and maps the ITS page there; the
  /// guest's message is never seen by the device. Linux: IOMMU_RESV_SW_MSI, 1 MiB at 0x0800_0000
  /// (drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.h, MSI_IOVA_BASE and MSI_IOVA_LENGTH).
  case softwareWindow(base: UInt64, length: UInt64)
  /// The guest sees an RMR over the window and maps it 1:1 in its stage 1; the host's stage 2 leads
  /// the window's first pages to the ITS pages. Posted for Linux, not merged.
  case rmrIdentity(base: UInt64, length: UInt64)
  /// The guest maps the page of its own (virtual) ITS wherever it likes; the host's stage 2 leads
  /// that intermediate page to the physical ITS page.
  case nestedDoorbell(virtualPage: UInt64)
  /// Writes to the range are interrupts and never translated: x86, 0xFEE0_0000…0xFEEF_FFFF.
  case hardwareReserved(base: UInt64, length: UInt64)

  package static let linuxWindow = DoorbellPolicy.softwareWindow(
    base: 0x0800_0000, length: 0x10_0000)
  package static let linuxIdentity = DoorbellPolicy.rmrIdentity(
    base: 0x0800_0000, length: 0x10_0000)
  package static let x86 = DoorbellPolicy.hardwareReserved(base: 0xFEE0_0000, length: 0x10_0000)
}

extension DoorbellPolicy {
  /// Whether the doorbell write is translated at all: by stage 1, and by stage 2 behind it.
  package var usesStage1: Bool {
    if case .hardwareReserved = self { false } else { true }
  }
  package var usesStage2: Bool {
    switch self {
    case .softwareWindow, .hardwareReserved: false
    case .rmrIdentity, .nestedDoorbell: true
    }
  }

  /// Who chooses the address that stands in the device's MSI-X table.
  package enum Author: Hashable, Sendable { case host, guest, hardware }
  package var addressAuthor: Author {
    switch self {
    case .softwareWindow: .host
    case .rmrIdentity, .nestedDoorbell: .guest
    case .hardwareReserved: .hardware
    }
  }

  /// What the operating system that owns the device must leave alone.
  package var reservedRegions: [ReservedRegion] {
    switch self {
    case .softwareWindow(let base, let length):
      [ReservedRegion(base: base, length: length, kind: .softwareMSI)]
    case .rmrIdentity(let base, let length):
      [ReservedRegion(base: base, length: length, kind: .direct)]
    case .nestedDoorbell: []
    case .hardwareReserved(let base, let length):
      [ReservedRegion(base: base, length: length, kind: .hardwareMSI)]
    }
  }

  /// The pages of the way to the `index`-th ITS translation page.
  package struct Path: Hashable, Sendable {
    /// What the device writes to.
    package var iova: UInt64
    /// What stage 1 makes of it; nil if stage 1 leads straight to `pa`.
    package var ipa: UInt64?
    package var pa: UInt64

    package init(iova: UInt64, ipa: UInt64?, pa: UInt64) {
      self.iova = iova
      self.ipa = ipa
      self.pa = pa
    }
  }

  /// - Parameters:
  ///   - page: the physical ITS page.
  ///   - index: how many other ITS pages have been given an address in the window before.
  ///   - guestIOVA: where the guest mapped its ITS page; only `nestedDoorbell` asks.
  ///   - log2PageBytes: the granule.
  /// - Returns: nil if the window is full, or if the policy knows no translated way.
  package func path(
    to page: UInt64, index: UInt64 = 0, guestIOVA: UInt64? = nil, log2PageBytes: UInt64 = 12
  ) -> Path? {
    switch self {
    case .softwareWindow(let base, let length):
      guard index < length >> log2PageBytes else { return nil }
      return Path(iova: base + index << log2PageBytes, ipa: nil, pa: page)
    case .rmrIdentity(let base, let length):
      guard index < length >> log2PageBytes else { return nil }
      let address = base + index << log2PageBytes
      return Path(iova: address, ipa: address, pa: page)
    case .nestedDoorbell(let virtualPage):
      return guestIOVA.map { Path(iova: $0, ipa: virtualPage, pa: page) }
    case .hardwareReserved: return nil
    }
  }

  /// Whether a write to `address` is taken for an interrupt before any translation.
  package func intercepts(_ address: UInt64) -> Bool {
    if case .hardwareReserved(let base, let length) = self {
      return address >= base && address - base < length
    }
    return false
  }
}
