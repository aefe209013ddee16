import EventModel

// PCI functions: where their BARs are, their MSI-X tables and controls, and what they raise.

extension LogInterpreter {
  /// "cpu 3 mr 0x55d4 addr 0x10400000 value 0xfffff040 size 4 name 'msix-table'".
  mutating func readRegisterWrite(_ thread: Int, _ time: UInt64, _ text: LineText) -> Disposition {
    let isTable = text.hasSuffix("'msix-table'")
    guard isTable || text.hasSuffix("'translation'") else { return .ignored }
    var text = text
    guard let region = text.number("mr"), let address = text.number("addr"),
      let value = text.number("value"), let size = text.number("size")
    else { return .notUnderstood }
    if !isTable {
      // The ITS's own line follows and tells the DeviceID.
      threads[thread].translationAddress = address
      return .used
    }
    guard size == 4 || size == 8, address & (size - 1) == 0 else { return .notUnderstood }
    threads[thread].endAccess()
    let (owner, offset) = msix.write(
      region: region, address: address, value: value, sizeBytes: size)
    queue.append(
      .msixTableWrite(
        time: time, streamID: owner, deviceID: owner, gpa: address, offset: offset, value: value,
        sizeBytes: UInt32(size), origin: .emulator))
    return .used
  }

  mutating func readPCI(
    _ action: LineAction, _ thread: Int, _ time: UInt64, _ text: LineText
  ) -> Disposition {
    var text = text
    switch action {
    case .raisedVector:
      guard let vector = text.number("vector"), vector < 2048 else { return .notUnderstood }
      threads[thread].raisedVector = UInt16(vector)
    case .pciConfigurationWrite:
      guard let (function, _) = Self.function(text) else { return .notUnderstood }
      threads[thread].configuredFunction = function
    case .msixControl:
      guard let enabled = text.number("enabled"), let masked = text.number("masked")
      else { return .notUnderstood }
      let owner = threads[thread].configuredFunction ?? TraceEvent.unknownDevice
      queue.append(
        .msixControl(
          time: time, streamID: owner, deviceID: owner, enabled: enabled != 0,
          masked: masked != 0, origin: .emulator))
    default:
      return readMapping(text, isAdded: action == .mappingAdded)
    }
    return .used
  }

  /// "nvme 01:00.0 0,0x10000000+0x4000": BAR number, base and size.
  private mutating func readMapping(_ text: LineText, isAdded: Bool) -> Disposition {
    guard let (function, end) = Self.function(text),
      let comma = text.find(",", from: end), let plus = text.find("+", from: comma),
      let start = Self.firstDigit(text, from: end),
      let index = text.parseNumber(at: start)?.value,
      let base = text.parseNumber(at: comma + 1)?.value,
      let size = text.parseNumber(at: plus + 1)?.value
    else { return .notUnderstood }
    if isAdded {
      msix.mapBAR(function: function, index: index, base: base, size: size)
    } else {
      msix.unmapBAR(function: function, index: index)
    }
    return .used
  }

  private static func firstDigit(_ text: LineText, from start: Int) -> Int? {
    var index = start
    while index < text.count, text[index] == UInt8(ascii: " ") { index += 1 }
    return index < text.count ? index : nil
  }

  /// The RequesterID of the first "bus:device.function" in the text, and where that ends. A machine
  /// of QEMU's wires StreamID and DeviceID equal to it (hw/arm/virt.c: identity iommu-map, msi-map).
  private static func function(_ text: LineText) -> (requesterID: UInt32, end: Int)? {
    var index = 0
    while index + 7 <= text.count {
      if text[index + 2] == UInt8(ascii: ":"), text[index + 5] == UInt8(ascii: "."),
        index == 0 || text[index - 1] == UInt8(ascii: " "),
        let bus1 = LineText.hexDigit(text[index]), let bus0 = LineText.hexDigit(text[index + 1]),
        let slot1 = LineText.hexDigit(text[index + 3]),
        let slot0 = LineText.hexDigit(text[index + 4]),
        let function = LineText.hexDigit(text[index + 6]), slot1 < 2, function < 8
      {
        let device = slot1 << 4 | slot0
        return (UInt32(bus1 << 12 | bus0 << 8 | device << 3 | function), index + 7)
      }
      index += 1
    }
    return nil
  }
}
