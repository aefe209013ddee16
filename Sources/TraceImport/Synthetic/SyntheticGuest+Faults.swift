import EventModel

// Errors on purpose, each lost for the reason that its name says.

extension SyntheticGuest {
  /// What is wrong with a vector behind the good ones.
  enum Fault: Int, CaseIterable {
    /// No MAPTI for its EventID.
    case unmappedEvent
    /// Its data is beyond the ITT.
    case eventOutOfRange
    /// Its address is another register of the translation page.
    case wrongRegister
    /// Its address is not mapped by the SMMU.
    case unmappedAddress
    /// Its LPI's configuration byte has Enable clear.
    case disabled
    /// Its collection leads nowhere.
    case unmappedCollection
  }

  func fault(_ vector: Int) -> Fault? { Fault(rawValue: vector - shape.vectorsPerDevice) }

  private static let nowhere: UInt64 = 0x7777_0040

  /// What the vector's entry in the MSI-X table holds.
  func message(_ vector: Int) -> (address: UInt64, data: UInt32) {
    let doorbell = Self.doorbellPage | 0x40
    return switch fault(vector) {
    case .eventOutOfRange: (doorbell, UInt32(vector) + 1 << UInt32(log2Events(shape)))
    case .wrongRegister: (doorbell + 0x10, UInt32(vector))
    case .unmappedAddress: (Self.nowhere, UInt32(vector))
    default: (doorbell, UInt32(vector))
    }
  }

  /// The device sends the message of a faulty vector.
  mutating func interrupt(_ device: Int, fault: Fault) {
    let vector = shape.vectorsPerDevice + fault.rawValue
    let (address, data) = message(vector)
    let outcome: OutcomeClass =
      switch fault {
      case .unmappedEvent: .unmappedEvent
      case .eventOutOfRange: .eventIDOutOfRange
      case .wrongRegister: .notADoorbell
      case .unmappedAddress: .smmuFault(0x10)
      case .disabled: .masked
      case .unmappedCollection: .unmappedCollection
      }
    emit(
      .msi(
        time: 0, streamID: streamID(device), deviceID: streamID(device), address: address,
        data: data, vector: UInt16(vector), outcome: outcome))
    // A disabled one is pending: software clears it, so that the next is masked again.
    if fault == .disabled { eventCommand(0x04, device, vector) }
  }

  /// A device that no MAPD names sends what would be a good message.
  mutating func interruptFromUnmappedDevice(_ device: Int) {
    emit(
      .msi(
        time: 0, streamID: streamID(device), deviceID: streamID(device),
        address: Self.doorbellPage | 0x40, data: 0, vector: 0, outcome: .unmappedDevice))
  }

  /// An access where nothing is mapped.
  mutating func accessNowhere(_ device: Int) {
    emit(
      .dma(
        time: 0, streamID: streamID(device), iova: Self.nowhere & ~0xFFF, sizeBytes: 64,
        flags: .read, outcome: .smmuFault(0x10)))
  }
}
