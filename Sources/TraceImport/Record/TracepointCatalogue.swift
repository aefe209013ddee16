/// The tracepoints that say something of interrupts and DMA, in the kernels from 5.10 to 6.18.
///
/// Where a kernel has one, its own format decides what it means: `TracefsMeaning`. One without a
/// meaning would cost ring space and leave nothing in the trace, so a recording takes by itself only
/// those that have one.
package struct TracepointCatalogue: Sendable {
  /// What is known of one tracepoint on this host.
  package enum Standing: Sendable, Hashable {
    /// It is there, and becomes events of a trace.
    case recorded
    /// It is there, and no event of a trace has a place for what it says.
    case withoutMeaning
    /// This kernel does not have it, or not yet: a module may bring it.
    case missing
  }

  package struct Entry: Sendable, Hashable {
    package var name: TracepointName
    package var standing: Standing
  }

  /// linux 6.12, include/trace/events/{irq,kvm,iommu,dma,swiotlb,ipi,workqueue,sched}.h and
  /// arch/x86/include/asm/trace/irq_vectors.h, arch/x86/kvm/trace.h; dma_map_phys and dma_unmap_phys
  /// from 6.18.
  private static let names: [(system: String, names: [String])] = [
    ("irq", ["irq_handler_entry", "irq_handler_exit"]),
    (
      "kvm",
      [
        "kvm_msi_set_irq", "kvm_set_irq", "kvm_mmio", "kvm_fast_mmio", "kvm_ack_irq", "kvm_eoi",
        "kvm_apic_accept_irq", "kvm_apicv_accept_irq", "kvm_pi_irte_update",
        "kvm_apicv_inhibit_changed", "kvm_avic_ga_log", "kvm_avic_doorbell", "kvm_entry",
        "kvm_exit", "kvm_userspace_exit", "kvm_vcpu_wakeup", "kvm_halt_poll_ns",
        "vgic_update_irq_pending",
      ]
    ),
    (
      "iommu",
      [
        "map", "unmap", "attach_device_to_domain", "add_device_to_group",
        "remove_device_from_group", "io_page_fault",
      ]
    ),
    (
      "dma",
      [
        "dma_map_page", "dma_map_resource", "dma_map_phys", "dma_map_sg", "dma_unmap_page",
        "dma_unmap_resource", "dma_unmap_phys", "dma_unmap_sg", "dma_alloc", "dma_free",
      ]
    ),
    ("intel_iommu", ["qi_submit"]),
    ("swiotlb", ["swiotlb_bounced"]),
    (
      "irq_vectors",
      [
        "vector_alloc", "vector_alloc_managed", "vector_config", "vector_update", "vector_clear",
        "vector_activate", "vector_deactivate", "vector_setup", "vector_teardown",
        "vector_free_moved",
      ]
    ),
    ("irq_matrix", ["irq_matrix_alloc", "irq_matrix_assign", "irq_matrix_free"]),
    ("ipi", ["ipi_send_cpu", "ipi_send_cpumask"]),
    ("workqueue", ["workqueue_queue_work", "workqueue_execute_start", "workqueue_execute_end"]),
    ("sched", ["sched_switch", "sched_migrate_task"]),
  ]

  /// Systems whose events are probes of the user's own making: known by their fields.
  private static let probeSystems = ["kprobes", "fprobes"]

  package let entries: [Entry]

  /// Looks up every known tracepoint, and every probe that somebody set, in a tracefs.
  package init(_ tracefs: TracefsFolder) {
    var entries: [Entry] = []
    for (system, names) in Self.names {
      for name in names {
        let name = TracepointName(system, name)
        entries.append(Entry(name: name, standing: Self.standing(name, tracefs)))
      }
    }
    for system in Self.probeSystems {
      for name in tracefs.names("events/\(system)").sorted() {
        let probe = TracepointName(system, name)
        // 'enable' and 'filter' are no events, and have no format.
        if Self.standing(probe, tracefs) == .recorded {
          entries.append(Entry(name: probe, standing: .recorded))
        }
      }
    }
    self.entries = entries
  }

  /// What a recording takes by itself.
  package var defaults: [TracepointName] {
    entries.filter { $0.standing == .recorded }.map(\.name)
  }

  /// Those of `names` that become events wherever they are, for the message that none is there.
  package static let wanted = [
    TracepointName("irq", "irq_handler_entry"), TracepointName("kvm", "kvm_msi_set_irq"),
    TracepointName("iommu", "map"), TracepointName("iommu", "unmap"),
  ]

  private static func standing(_ name: TracepointName, _ tracefs: TracefsFolder) -> Standing {
    guard let text = try? tracefs.text("\(name.folder)/format") else { return .missing }
    guard let format = EventFormat(text) else { return .withoutMeaning }
    return format.meaning == nil ? .withoutMeaning : .recorded
  }
}
