/// A PCI function as Linux writes it, "0000:01:00.0", and the RequesterID that goes over the bus:
/// bus 15:8, device 7:3, function 2:0 (PCI Express Base, §2.2.6). The segment is dropped: on a
/// machine with one SMMU per segment it does not show in a StreamID.
struct RequesterID: Hashable {
  var value: UInt64

  init?(text: some StringProtocol) {
    let parts = text.split(whereSeparator: { $0 == ":" || $0 == "." })
    guard parts.count == 4, let bus = UInt64(parts[1], radix: 16),
      let device = UInt64(parts[2], radix: 16), let function = UInt64(parts[3], radix: 16),
      UInt64(parts[0], radix: 16) != nil, bus < 256, device < 32, function < 8
    else { return nil }
    value = bus << 8 | device << 3 | function
  }
}
