/// Assembles a few x86-64 instructions at a fixed address: bytes with their text beside them, labels,
/// and jumps to labels. It knows no instruction but jumps; each caller writes the encoding next to its
/// mnemonic (Intel SDM volume 2), and a test has binutils' objdump read the bytes back.
struct GuestAssembler {
  /// One instruction: its address, its bytes, and its text as `objdump -M intel` prints it.
  struct Line: Hashable {
    var address: UInt32
    var bytes: [UInt8]
    var text: String
  }

  private(set) var lines: [Line] = []
  private var labels: [String: UInt32] = [:]
  /// Jumps: index of the line, and the label to go to.
  private var jumps: [(line: Int, label: String)] = []
  /// Where the next instruction goes.
  private(set) var address: UInt32

  init(at address: UInt32) { self.address = address }

  mutating func label(_ name: String) {
    precondition(labels[name] == nil, "label \(name) is there already")
    labels[name] = address
  }

  mutating func emit(_ text: String, _ bytes: UInt8...) { append(text, bytes) }

  /// An instruction that ends in a 32-bit immediate or displacement.
  mutating func emit(_ text: String, _ bytes: UInt8..., word: UInt32) {
    append(text, bytes + (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) })
  }

  /// JMP rel32 (E9), or a conditional one (0F 8x).
  mutating func jump(_ mnemonic: String = "jmp", _ opcode: [UInt8] = [0xE9], to label: String) {
    jumps.append((lines.count, label))
    append(mnemonic, opcode + [0, 0, 0, 0])
  }

  /// Goes on at a multiple of `alignment`; what lies between is never reached.
  mutating func align(_ alignment: UInt32) {
    address = (address + alignment - 1) / alignment * alignment
  }

  private mutating func append(_ text: String, _ bytes: [UInt8]) {
    lines.append(Line(address: address, bytes: bytes, text: text))
    address += UInt32(bytes.count)
  }

  subscript(label: String) -> UInt32 {
    guard let address = labels[label] else { preconditionFailure("no label \(label)") }
    return address
  }

  /// All lines, with every jump told where it goes: the displacement counts from the next instruction.
  func assembled() -> [Line] {
    var lines = lines
    for (index, label) in jumps {
      let size = lines[index].bytes.count
      let target = self[label]
      let displacement = target &- (lines[index].address + UInt32(size))
      for byte in 0..<4 {
        lines[index].bytes[size - 4 + byte] = UInt8(truncatingIfNeeded: displacement >> (8 * byte))
      }
      lines[index].text += " 0x\(String(target, radix: 16))"
    }
    return lines
  }
}
