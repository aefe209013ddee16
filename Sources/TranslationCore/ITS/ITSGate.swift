import EventModel

/// What an MSI needs to know of its target, in parallel to the places.
@frozen
@usableFromInline
struct ITSGate: BitwiseCopyable {
  /// Distance of the target's states in the pending table, in bytes. 0 while something must be asked
  /// first: there lie states that are never known to be enabled.
  @usableFromInline let states: UInt
  /// The target where the upper word of an `Outcome` has it.
  @usableFromInline let target: UInt64

  static let closed = ITSGate(states: 0, target: 0)

  init(states: Int, target: InterruptTarget) {
    self.init(states: UInt(states), target: UInt64(target.rawValue) << 32)
  }

  private init(states: UInt, target: UInt64) {
    self.states = states
    self.target = target
  }
}
