/// What a VMM asks its host for when the guest maps an event: a virtual LPI for the message that the
/// guest's own driver wrote, untrapped, into the device.
///
/// Linux has no such call; the request is the one argued for on the iommufd list in April 2023 in place
/// of the eventfd hook-up: the host composes no message, it takes the caller's. Who answers is
/// `VLPIAllocator` (readable) and `VLPIAllocatorCore` (fast).
package struct VLPIRequest: Hashable, Sendable, BitwiseCopyable {
  /// The caller: what a file descriptor of the host would stand for.
  package var vm: UInt16
  /// The function that raises the event, as it was plugged. Its DeviceID is the host's knowledge.
  package var function: UInt32
  package var eventID: EventID
  package var vINTID: INTID
  /// The vCPU's object at the host, one number space for all guests; not a vPEID.
  package var vPE: UInt16
  package var message: Message

  /// What the device writes to raise the event.
  package struct Message: Hashable, Sendable, BitwiseCopyable {
    /// The doorbell as the device addresses it. It is translated by tables that are the guest's, so a
    /// host can check the offset within a page and nothing more; stage 2 confines the rest.
    package var address: UInt64
    package var data: UInt32
    package init(address: UInt64, data: UInt32) {
      self.address = address
      self.data = data
    }
    /// GITS_TRANSLATER stands at 0x40 of its page (IHI 0069, §12.19), whatever the granule.
    package func names(_ eventID: EventID) -> Bool {
      address & 0xFFF == 0x40 && data == eventID.rawValue
    }
  }

  package init(
    vm: UInt16, function: UInt32, eventID: EventID, vINTID: INTID, vPE: UInt16, message: Message
  ) {
    self.vm = vm
    self.function = function
    self.eventID = eventID
    self.vINTID = vINTID
    self.vPE = vPE
    self.message = message
  }
}

/// The right to an event, until it is released or revoked. How the interrupt travels may change behind
/// it: a pool that frees takes an eventfd back to a vLPI without a word.
package struct VLPIGrant: Hashable, Sendable, BitwiseCopyable {
  package enum Delivery: Hashable, Sendable, BitwiseCopyable {
    case vLPI(vPEID: UInt16)
    /// The vPE pool was empty: the event is the host's interrupt, which signals an eventfd.
    case eventfd(pINTID: INTID)
  }

  package var deviceID: DeviceID
  package var eventID: EventID
  /// Never given twice, so that a grant of an earlier life is told from one of this.
  package var serial: UInt64
  /// When it was granted.
  package var delivery: Delivery
  /// The caller's own, as requested.
  package var message: VLPIRequest.Message

  package init(
    deviceID: DeviceID, eventID: EventID, serial: UInt64, delivery: Delivery,
    message: VLPIRequest.Message
  ) {
    self.deviceID = deviceID
    self.eventID = eventID
    self.serial = serial
    self.delivery = delivery
    self.message = message
  }
}

/// Why nothing was done. Every refusal is also counted, as its reason.
package struct VLPIRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  package var reason: VLPIRequestCase
  package init(_ reason: VLPIRequestCase) { self.reason = reason }
  package var description: String { reason.sentence }
}

/// Where an event ended that a function raised.
package enum VLPIEventOutcome: Hashable, Sendable, BitwiseCopyable {
  case vLPI(vPEID: UInt16, vINTID: INTID)
  /// The host's interrupt, an eventfd, and the guest's interrupt by software.
  case eventfd(vPE: UInt16, vINTID: INTID)
  /// The host's interrupt, kept for a request that is still to come.
  case pended
  case lost
}
