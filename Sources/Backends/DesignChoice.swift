import Replay

/// The two choices of a design, known at compile time: each design is specialised, so that a
/// choice costs no branch on the way of an event.
protocol DesignChoice: SendableMetatype {
  /// Set-up `trapped`: the guest's MSI-X table writes trap, the device sends the host's message.
  /// Otherwise `owned`: the device sends the guest's.
  static var isTrapped: Bool { get }
  /// Delivery `vlpi`: the hardware's entry is the guest's own (virtual, posted, guest mode). Otherwise an
  /// eventfd and software.
  static var isVLPI: Bool { get }
  /// Delivery `bounce`: through a thread of the VMM instead of the kernel's irqfd.
  static var isBounce: Bool { get }
}

extension DesignChoice {
  /// ioctls of the VMM when it leads a vector to the guest the first time: KVM_SET_GSI_ROUTING, KVM_IRQFD
  /// and VFIO_DEVICE_SET_IRQS (QEMU, hw/vfio/pci.c, vfio_msix_vector_do_use); without irqfd, only the
  /// last.
  static var ioctlsToUseVector: UInt64 { isBounce ? 1 : 3 }
  /// And when the guest has changed the message: KVM_SET_GSI_ROUTING.
  static var ioctlsToChangeMessage: UInt64 { isBounce ? 0 : 1 }
}

enum TrappedVLPI: DesignChoice {
  static var isTrapped: Bool { true }
  static var isVLPI: Bool { true }
  static var isBounce: Bool { false }
}

enum TrappedIRQFD: DesignChoice {
  static var isTrapped: Bool { true }
  static var isVLPI: Bool { false }
  static var isBounce: Bool { false }
}

enum TrappedBounce: DesignChoice {
  static var isTrapped: Bool { true }
  static var isVLPI: Bool { false }
  static var isBounce: Bool { true }
}

enum OwnedVLPI: DesignChoice {
  static var isTrapped: Bool { false }
  static var isVLPI: Bool { true }
  static var isBounce: Bool { false }
}

enum OwnedIRQFD: DesignChoice {
  static var isTrapped: Bool { false }
  static var isVLPI: Bool { false }
  static var isBounce: Bool { false }
}

enum OwnedBounce: DesignChoice {
  static var isTrapped: Bool { false }
  static var isVLPI: Bool { false }
  static var isBounce: Bool { true }
}

/// Something that is made for each design anew, specialised for its choices.
protocol DesignVisitor {
  associatedtype Result
  func visit<Choice: DesignChoice>(_: Choice.Type) -> Result
}

extension Design {
  /// The visitor's result for this design; nil for a design that delivers nothing. The one place where
  /// a design by name becomes a choice at compile time.
  @inline(__always)
  func accept<Visitor: DesignVisitor>(_ visitor: Visitor) -> Visitor.Result? {
    switch (setUp, delivery) {
    case (.trapped, .vlpi): visitor.visit(TrappedVLPI.self)
    case (.trapped, .irqfd): visitor.visit(TrappedIRQFD.self)
    case (.trapped, .bounce): visitor.visit(TrappedBounce.self)
    case (.owned, .vlpi): visitor.visit(OwnedVLPI.self)
    case (.owned, .irqfd): visitor.visit(OwnedIRQFD.self)
    case (.owned, .bounce): visitor.visit(OwnedBounce.self)
    case (_, .none): nil
    }
  }
}
