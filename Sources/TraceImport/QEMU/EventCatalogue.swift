import EventModel

/// The QEMU trace events that the importer knows, and what it does with each.
///
/// Names and texts: QEMU hw/arm/trace-events, hw/intc/trace-events, hw/pci/trace-events,
/// hw/nvme/trace-events, hw/net/trace-events, softmmu/trace-events; those of version 7.2, and the
/// names that older and newer versions use for the same thing.
enum EventCatalogue {
  struct Entry {
    var name: StaticString
    var action: LineAction
    var reason: IgnoredReason = .none
    /// The opcode of an ITS command.
    var opcode: UInt8 = 0
  }

  /// What scripts/simpletrace.py calls the record of lost events; a log never has it.
  static var dropped: StaticString { "dropped" }

  static func entries() -> [Entry] { smmu() + its() + cpu() + platform() }

  private static func smmu() -> [Entry] {
    [
      Entry(name: "smmuv3_config_cache_hit", action: .configurationHit),
      Entry(name: "smmuv3_config_cache_miss", action: .configurationMiss),
      Entry(name: "smmuv3_decode_cd", action: .contextDescriptor),
      Entry(name: "smmuv3_decode_cd_tt", action: .translationTable),
      Entry(name: "smmu_iotlb_lookup_hit", action: .tlbLookup),
      Entry(name: "smmu_iotlb_lookup_miss", action: .tlbLookup),
      Entry(name: "smmu_iotlb_cache_hit", action: .tlbLookup),
      Entry(name: "smmu_iotlb_cache_miss", action: .tlbLookup),
      Entry(name: "smmu_ptw_page_pte", action: .pageDescriptor),
      Entry(name: "smmu_ptw_block_pte", action: .blockDescriptor),
      Entry(name: "smmu_iotlb_insert", action: .tlbInsert),
      Entry(name: "smmuv3_translate_success", action: .translated),
      Entry(name: "smmuv3_translate_bypass", action: .bypassed),
      Entry(name: "smmuv3_translate_disable", action: .bypassed),
      Entry(name: "smmuv3_translate_abort", action: .aborted),
      Entry(name: "smmuv3_record_event", action: .recordedFault),
      Entry(name: "smmuv3_cmdq_opcode", action: .commandOpcode),
      Entry(
        name: "smmuv3_cmdq_consume", action: .commandQueueStep, reason: .emulatorInternal),
      Entry(
        name: "smmuv3_cmdq_consume_out", action: .commandQueueStep, reason: .emulatorInternal),
      Entry(name: "smmuv3_cmdq_cfgi_ste", action: .invalidateStream),
      Entry(name: "smmuv3_cmdq_cfgi_ste_range", action: .invalidateStreamRange),
      Entry(name: "smmuv3_cmdq_cfgi_cd", action: .invalidateContext),
      Entry(name: "smmuv3_cmdq_tlbi_nh_asid", action: .invalidateASID),
      Entry(name: "smmuv3_cmdq_tlbi_nh", action: .invalidateVMID),
      Entry(name: "smmuv3_cmdq_tlbi_nsnh", action: .invalidateVMID),
      Entry(name: "smmuv3_cmdq_tlbi_s12_vmid", action: .invalidateVMID),
      Entry(name: "smmuv3_s1_range_inval", action: .invalidateRange),
      Entry(name: "smmuv3_range_inval", action: .invalidateRange),
      Entry(name: "smmuv3_cmdq_tlbi_nh_va", action: .invalidateRange),
      Entry(name: "smmuv3_cmdq_tlbi_nh_vaa", action: .invalidateRange),
      Entry(name: "smmuv3_read_mmio", action: .smmuRegisterRead, reason: .otherRegister),
      Entry(name: "smmu_ptw_level", action: .ignore, reason: .walkStep),
      Entry(name: "smmu_get_pte", action: .ignore, reason: .walkStep),
      Entry(name: "smmu_ptw_invalid_pte", action: .ignore, reason: .walkStep),
      Entry(name: "smmuv3_config_cache_inv", action: .ignore, reason: .commandEffect),
      Entry(name: "smmu_iotlb_inv_all", action: .ignore, reason: .commandEffect),
      Entry(name: "smmu_iotlb_inv_asid", action: .ignore, reason: .commandEffect),
      Entry(name: "smmu_iotlb_inv_iova", action: .ignore, reason: .commandEffect),
      Entry(name: "smmuv3_write_mmio", action: .ignore, reason: .otherRegister),
    ]
  }

  private static func its() -> [Entry] {
    func command(_ name: StaticString, _ opcode: ITSCommandOpcode) -> Entry {
      Entry(name: name, action: .itsCommand, opcode: opcode.rawValue)
    }
    return [
      Entry(name: "gicv3_its_translation_write", action: .translationWrite),
      Entry(name: "gicv3_its_dte_read", action: .deviceEntry, reason: .commandEffect),
      Entry(name: "gicv3_its_ite_read", action: .interruptEntry, reason: .commandEffect),
      Entry(name: "gicv3_its_cte_read", action: .collectionEntry, reason: .commandEffect),
      Entry(name: "gicv3_its_vte_read", action: .vPEEntry, reason: .commandEffect),
      Entry(name: "gicv3_its_dte_write", action: .ignore, reason: .commandEffect),
      Entry(name: "gicv3_its_ite_write", action: .ignore, reason: .commandEffect),
      Entry(name: "gicv3_its_cte_write", action: .ignore, reason: .commandEffect),
      Entry(name: "gicv3_its_vte_write", action: .ignore, reason: .commandEffect),
      Entry(name: "gicv3_its_read", action: .itsRegisterRead, reason: .otherRegister),
      Entry(name: "gicv3_its_write", action: .itsRegisterWrite, reason: .otherRegister),
      Entry(name: "gicv3_its_process_command", action: .itsCommandFetched),
      command("gicv3_its_cmd_movi", .movi), command("gicv3_its_cmd_int", .int),
      command("gicv3_its_cmd_clear", .clear), command("gicv3_its_cmd_sync", .sync),
      command("gicv3_its_cmd_mapd", .mapd), command("gicv3_its_cmd_mapc", .mapc),
      command("gicv3_its_cmd_mapti", .mapti), command("gicv3_its_cmd_mapi", .mapi),
      command("gicv3_its_cmd_inv", .inv), command("gicv3_its_cmd_invall", .invall),
      command("gicv3_its_cmd_movall", .movall), command("gicv3_its_cmd_discard", .discard),
      command("gicv3_its_cmd_vmovi", .vmovi), command("gicv3_its_cmd_vmovp", .vmovp),
      command("gicv3_its_cmd_vsync", .vsync), command("gicv3_its_cmd_vmapp", .vmapp),
      command("gicv3_its_cmd_vmapti", .vmapti), command("gicv3_its_cmd_vmapi", .vmapi),
      command("gicv3_its_cmd_vinvall", .vinvall),
    ]
  }

  private static func cpu() -> [Entry] {
    [
      Entry(name: "gicv3_redist_write", action: .redistributorWrite, reason: .otherRegister),
      Entry(name: "gicv3_icc_iar1_read", action: .acknowledge, reason: .otherInterrupt),
      Entry(name: "gicv3_icc_eoir_write", action: .endOfInterrupt, reason: .otherInterrupt),
      Entry(name: "gicv3_icv_iar_read", action: .guestAcknowledge, reason: .otherInterrupt),
      Entry(name: "gicv3_icv_eoir_write", action: .guestEndOfInterrupt, reason: .otherInterrupt),
    ]
  }

  private static func platform() -> [Entry] {
    [
      Entry(name: dropped, action: .dropped),
      Entry(name: "memory_region_ops_write", action: .registerWrite, reason: .otherRegister),
      Entry(name: "pci_cfg_write", action: .pciConfigurationWrite),
      Entry(name: "pci_update_mappings_add", action: .mappingAdded),
      Entry(name: "pci_update_mappings_del", action: .mappingDeleted),
      Entry(name: "msix_write_config", action: .msixControl),
      Entry(name: "pci_nvme_irq_msix", action: .raisedVector),
      Entry(name: "e1000e_irq_msix_notify_vec", action: .raisedVector),
    ]
  }

  /// What an event that `entries` does not list is, by the start of its name. The first hit counts.
  static func reason(forNameLike name: String) -> IgnoredReason? {
    families.first { name.hasPrefix($0.prefix) }?.reason
  }

  private static let families: [(prefix: String, reason: IgnoredReason)] = [
    ("gicv3_cpuif_", .emulatorInternal), ("gicv3_ich_", .virtualisation),
    ("gicv3_icc_generate_sgi", .otherInterrupt), ("gicv3_icc_iar0", .otherInterrupt),
    ("gicv3_icc_", .otherRegister), ("gicv3_icv_", .virtualisation),
    ("gicv3_dist_set_irq", .otherInterrupt), ("gicv3_redist_set_irq", .otherInterrupt),
    ("gicv3_redist_send_sgi", .otherInterrupt), ("gicv3_dist_", .otherRegister),
    ("gicv3_redist_", .otherRegister), ("smmuv3_find_ste", .walkStep),
    ("smmuv3_get_", .walkStep), ("smmuv3_trigger_irq", .otherInterrupt),
    ("smmuv3_notify_", .emulatorInternal), ("smmuv3_inv_notifiers", .emulatorInternal),
    ("smmu_inv_notifiers", .emulatorInternal), ("smmu_iotlb_inv_", .commandEffect),
    ("smmu_add_mr", .emulatorInternal), ("smmuv3_write_", .otherRegister),
    ("pci_nvme_", .deviceInternal), ("pci_cfg_read", .otherRegister), ("pci_", .emulatorInternal),
    ("virtio_", .deviceInternal), ("e1000", .deviceInternal), ("vfio_", .deviceInternal),
    ("memory_region_", .otherRegister), ("kvm_", .emulatorInternal),
  ]
}
