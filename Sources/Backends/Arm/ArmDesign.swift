/// The two choices of a design on Arm, known at compile time: each design is specialised, so that a
/// choice costs no branch on the way of an event.
protocol ArmDesign: SendableMetatype {
  /// Set-up `trapped`: the guest's MSI-X table writes trap, the device sends the host's message.
  /// Otherwise `owned`: the device sends the guest's.
  static var isTrapped: Bool { get }
  /// Delivery `vlpi`: the physical ITS holds virtual entries. Otherwise an eventfd and software.
  static var isVLPI: Bool { get }
  /// Delivery `bounce`: through a thread of the VMM instead of the kernel's irqfd.
  static var isBounce: Bool { get }
}

enum TrappedVLPI: ArmDesign {
  static var isTrapped: Bool { true }
  static var isVLPI: Bool { true }
  static var isBounce: Bool { false }
}

enum TrappedIRQFD: ArmDesign {
  static var isTrapped: Bool { true }
  static var isVLPI: Bool { false }
  static var isBounce: Bool { false }
}

enum TrappedBounce: ArmDesign {
  static var isTrapped: Bool { true }
  static var isVLPI: Bool { false }
  static var isBounce: Bool { true }
}

enum OwnedVLPI: ArmDesign {
  static var isTrapped: Bool { false }
  static var isVLPI: Bool { true }
  static var isBounce: Bool { false }
}

enum OwnedIRQFD: ArmDesign {
  static var isTrapped: Bool { false }
  static var isVLPI: Bool { false }
  static var isBounce: Bool { false }
}

enum OwnedBounce: ArmDesign {
  static var isTrapped: Bool { false }
  static var isVLPI: Bool { false }
  static var isBounce: Bool { true }
}
