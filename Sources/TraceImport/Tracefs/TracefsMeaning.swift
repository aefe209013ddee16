/// The tracefs events that say something of interrupts and DMA, whatever container they come in.
///
/// An event is known by its name and by the fields that it has, never by its number or its layout:
/// those stand in the recording. A probe has a name of its user's choice and is known by the names
/// of its arguments alone.
enum TracefsMeaning: UInt8, Hashable, CaseIterable {
  /// irq:irq_handler_entry. Its number is Linux's own and no INTID.
  case interruptEntry
  /// A probe on generic_handle_domain_irq with the argument `hwirq`: for a GIC that is the INTID.
  case domainInterrupt
  /// iommu:map and iommu:unmap. They name neither device nor domain.
  case map
  case unmap
  /// A probe on __iommu_dma_map or __iommu_dma_unmap with the arguments `dev` and `phys` or `iova`:
  /// it comes before the map or unmap that it causes, and names the device.
  case deviceMap
  case deviceUnmap
  /// kvm:kvm_msi_set_irq (x86): the raw message, of a device that it does not name.
  case message
  /// A probe on vgic_its_inject_cached_translation: arguments `addr_lo`, `data`, `devid`.
  case injectCached
  /// A probe on vgic_its_inject_msi: the same and `addr_hi`. It calls the one above.
  case inject

  /// The meaning of an event with these fields (those common to all events left out).
  init?(name: String, fields: Set<String>) {
    func has(_ names: String...) -> Bool { names.allSatisfy(fields.contains) }
    switch name {
    case "irq_handler_entry" where has("irq"): self = .interruptEntry
    case "map" where has("iova", "paddr", "size"): self = .map
    case "unmap" where has("iova", "size") && !has("dev"): self = .unmap
    case "kvm_msi_set_irq" where has("address", "data"): self = .message
    default:
      // Tracepoints with a name above, but without its fields, are unknown.
      if has("addr_lo", "addr_hi", "data", "devid") {
        self = .inject
      } else if has("addr_lo", "data", "devid") {
        self = .injectCached
      } else if has("hwirq"), fields.isSubset(of: ["hwirq", "__probe_ip"]) {
        self = .domainInterrupt
      } else if has("dev", "phys", "size") {
        self = .deviceMap
      } else if has("dev", "iova", "size") {
        self = .deviceUnmap
      } else {
        return nil
      }
    }
  }

  /// The fields that are read, in the order of `TracefsRecord.values`. `dev` is text, and becomes
  /// the RequesterID that it names.
  var fieldNames: [String] {
    switch self {
    case .interruptEntry: ["irq"]
    case .domainInterrupt: ["hwirq"]
    case .map: ["iova", "paddr", "size"]
    case .unmap: ["iova", "size"]
    case .deviceMap: ["dev", "phys", "size"]
    case .deviceUnmap: ["dev", "iova", "size"]
    case .message: ["address", "data"]
    case .injectCached: ["addr_lo", "data", "devid"]
    case .inject: ["addr_lo", "addr_hi", "data", "devid"]
    }
  }

  /// Every field that a meaning reads.
  static let allFields = Set(allCases.flatMap(\.fieldNames))

  static var deviceField: String { "dev" }

  /// Tracepoints that are known by name.
  static var names: Set<String> { ["irq_handler_entry", "map", "unmap", "kvm_msi_set_irq"] }
}

extension EventFormat {
  /// What an event of this format means; nil if nothing to us.
  var meaning: TracefsMeaning? {
    TracefsMeaning(
      name: name, fields: Set(fields.map(\.name).filter { !$0.hasPrefix("common_") }))
  }
}

/// One event of a tracefs recording, as far as `TracefsInterpreter` looks at it.
struct TracefsRecord {
  var meaning: TracefsMeaning
  /// Nanoseconds of the recording's clock.
  var time: UInt64
  var cpu: UInt16
  var pid: Int32
  /// Values of `meaning.fieldNames`, in that order.
  var values: InlineArray<4, UInt64> = .init(repeating: 0)
}

/// Why an event of a known name is left out.
extension TracefsMeaning {
  static func reason(ignoring name: String) -> IgnoredReason? {
    switch name {
    case "kvm_mmio", "kvm_fast_mmio": .unknownRegister
    case "kvm_set_irq", "vgic_update_irq_pending", "kvm_irq_line": .otherInterrupt
    case "irq_handler_exit": .otherEnd
    case "msi_write", "set_fwd", "unset_fwd", "vpe_aff", "vcpu_info": .hostSide
    case "attach_device_to_domain", "add_device_to_group", "remove_device_from_group":
      .noStreamTable
    default: nil
    }
  }
}
