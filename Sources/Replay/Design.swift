/// How an interrupt gets set up and how it is delivered: two independent choices, one design.
public struct Design: Hashable, Sendable {
  public enum SetUp: String, Sendable, CaseIterable {
    /// The guest's MSI-X table writes trap; the host composes its own message.
    case trapped
    /// The guest programs the real device; the host learns the mapping from MAPTI.
    case owned
  }
  public enum Delivery: String, Sendable, CaseIterable {
    /// eventfd → VMM thread → inject.
    case bounce
    /// eventfd → in-kernel-style injection: route cache → virtual-ITS translation cache → pending.
    case irqfd
    /// The physical ITS finds a virtual entry and sets the vPE's pending bit.
    case vlpi
    /// Nothing at all: measures the harness.
    case none

    /// Threads that an interrupt wakes on its way to the guest's pending bit, each through an eventfd.
    public var eventfdHops: Int {
      switch self {
      case .vlpi, .none: 0
      case .irqfd: 1
      case .bounce: 2
      }
    }
  }
  public var setUp: SetUp
  public var delivery: Delivery
  public init(_ setUp: SetUp, _ delivery: Delivery) {
    self.setUp = setUp
    self.delivery = delivery
  }

  public static let trapped = Design(.trapped, .vlpi)
  public static let eventfd = Design(.trapped, .irqfd)
  public static let direct = Design(.owned, .vlpi)
  public static let null = Design(.owned, .none)

  /// What a bare `doorbell replay` compares.
  public static let named: [Design] = [.trapped, .eventfd, .direct]
}

extension Design: CustomStringConvertible {
  public var description: String {
    switch self {
    case .trapped: "trapped"
    case .eventfd: "eventfd"
    case .direct: "direct"
    case .null: "null"
    default: "\(setUp.rawValue)+\(delivery.rawValue)"
    }
  }

  /// Reads `direct`, `eventfd`, `trapped`, `null` or `set-up+delivery`.
  public init?(name: String) {
    switch name {
    case "trapped": self = .trapped
    case "eventfd": self = .eventfd
    case "direct": self = .direct
    case "null": self = .null
    default:
      let parts = name.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, let setUp = SetUp(rawValue: parts[0]),
        let delivery = Delivery(rawValue: parts[1]), delivery != .none
      else { return nil }
      self = Design(setUp, delivery)
    }
  }
}
