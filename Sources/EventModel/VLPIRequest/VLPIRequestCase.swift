/// Everything that can happen to a request for a vLPI, by name. Some are refusals, some are ways of
/// being granted, some happen to events and grants afterwards.
package enum VLPIRequestCase: UInt8, CaseIterable, Hashable, Sendable, BitwiseCopyable {
  // Granted.
  case grantedVLPI
  case grantedEventfd
  case duplicate
  case retargeted
  case released
  case sparseEvent
  case eventBeyondVectors
  case sharedTable
  case cappedTable
  // Early events.
  case earlyEventDropped
  case earlyEventPended
  case earlyEventHandedOver
  case earlyEventDiscarded
  case unreservedVectors
  // The vPE pool.
  case poolExhausted
  case returnedToVLPI
  case stayedOnEventfd
  // Unplugging.
  case grantRevoked
  case eventWhileUnplugging
  case eventAfterUnplug
  // Events.
  case eventAsVLPI
  case eventThroughEventfd
  case eventOfAlias
  case eventOutOfTable
  case eventOfUnknownFunction
  // Refused.
  case numberOutOfRange
  case alreadyPlugged
  case notPlugged
  case tableMemoryExhausted
  case aliasOwnedElsewhere
  case knownVPE
  case requestBeforePlug
  case requestWhileUnplugging
  case requestAfterUnplug
  case foreignFunction
  case foreignVPE
  case eventOutOfRange
  case wrongMessage
  case intidOutOfRange
  case aliasCollision
  case eventTaken
  case intidTaken
  case physicalLPIsExhausted
  case staleGrant
}

extension VLPIRequestCase {
  package var isRefusal: Bool { rawValue >= Self.numberOutOfRange.rawValue }

  /// The name under which it is reported: "early-event-dropped".
  package var name: String {
    var name = ""
    var previousIsUpper = false
    for character in "\(self)" {
      if character.isUppercase && !previousIsUpper && !name.isEmpty { name += "-" }
      name += character.lowercased()
      previousIsUpper = character.isUppercase
    }
    return name
  }

  /// What it means; of a refusal, what the caller can do.
  package var sentence: String {
    switch self {
    case .grantedVLPI: "the event is a vLPI"
    case .grantedEventfd: "the event is the host's interrupt and signals an eventfd"
    case .duplicate: "the same was granted before; nothing to do"
    case .retargeted: "the event moves to another vPE"
    case .released: "the caller gave the event back"
    case .sparseEvent: "the EventID below it is not in use"
    case .eventBeyondVectors: "the EventID is beyond the function's vectors"
    case .sharedTable: "another function has the same DeviceID and so the same table"
    case .cappedTable: "the guest's MAPD asks for more EventIDs than the host's ITS has"
    case .earlyEventDropped: "an MSI found no mapping and is lost"
    case .earlyEventPended: "an MSI found no mapping yet and is kept by the host"
    case .earlyEventHandedOver: "a kept MSI went to the guest with its mapping"
    case .earlyEventDiscarded: "a kept MSI went with its function"
    case .unreservedVectors: "the host has no LPI left to keep early events of all vectors"
    case .poolExhausted: "no vPEID is free"
    case .returnedToVLPI: "the event left its eventfd and is a vLPI"
    case .stayedOnEventfd: "a vPEID is free, but the event stays on its eventfd"
    case .grantRevoked: "the event went with its function or vPE"
    case .eventWhileUnplugging: "an MSI came from a function that is being unplugged and is lost"
    case .eventAfterUnplug: "an MSI came from a function that is unplugged and is lost"
    case .eventAsVLPI: "an MSI became a vLPI"
    case .eventThroughEventfd: "an MSI signalled an eventfd"
    case .eventOfAlias: "an MSI arrived as that of another function with the same DeviceID"
    case .eventOutOfTable: "an MSI's EventID is beyond the device's table"
    case .eventOfUnknownFunction: "an MSI came from a function that was never plugged"
    case .numberOutOfRange: "a number is beyond what the host was set up for"
    case .alreadyPlugged: "the function is plugged; unplug it first"
    case .notPlugged: "the function is not in the state that this needs"
    case .tableMemoryExhausted: "no room for the device's table; ask for fewer EventIDs"
    case .aliasOwnedElsewhere: "a function with the same DeviceID belongs to another guest"
    case .knownVPE: "the vPE number is taken"
    case .requestBeforePlug: "the function was never plugged; plug it first"
    case .requestWhileUnplugging: "the function is being unplugged"
    case .requestAfterUnplug: "the function is unplugged"
    case .foreignFunction: "the function belongs to another guest"
    case .foreignVPE: "there is no such vPE, or it belongs to another guest"
    case .eventOutOfRange: "the EventID is beyond the device's table; the event needs a trap"
    case .wrongMessage: "the message is no write of this EventID to a doorbell"
    case .intidOutOfRange: "the vINTID is not an LPI of the guest"
    case .aliasCollision: "another function with the same DeviceID has this EventID"
    case .eventTaken: "the event has another vINTID; release it first"
    case .intidTaken: "another event of the guest has this vINTID; release it first"
    case .physicalLPIsExhausted: "neither a vPEID nor an LPI of the host is free"
    case .staleGrant: "the grant was released or revoked"
    }
  }
}

/// How often each case was met.
package struct VLPIRequestCases: Hashable, Sendable, CustomStringConvertible {
  private var counts = [UInt64](repeating: 0, count: VLPIRequestCase.allCases.count)

  package init() {}

  package subscript(_ name: VLPIRequestCase) -> UInt64 { counts[Int(name.rawValue)] }

  package mutating func count(_ name: VLPIRequestCase, _ times: UInt64 = 1) {
    counts[Int(name.rawValue)] += times
  }

  package var refused: UInt64 {
    VLPIRequestCase.allCases.filter(\.isRefusal).reduce(0) { $0 + self[$1] }
  }

  /// One line for each case that was met: name and count.
  package var description: String {
    VLPIRequestCase.allCases.filter { self[$0] > 0 }.map { "\($0.name) \(self[$0])" }
      .joined(separator: "\n")
  }
}
