/// The guest's memory as it is before the first instruction: page tables, GDT, IDT and code; all else is 0.
/// The same bytes each time.
struct GuestImage {
  let code = GuestCode()
  /// `GuestLayout.memoryBytes` of them.
  private(set) var bytes = [UInt8](repeating: 0, count: GuestLayout.memoryBytes)

  init() {
    // What lies between is INT3: a jump that goes astray is an exception, which the host is told.
    if let last = code.lines.last {
      let size = Int(last.address - GuestLayout.code)
      bytes.replaceSubrange(
        Int(GuestLayout.code)..<Int(GuestLayout.code) + size,
        with: repeatElement(0xCC, count: size))
    }
    for line in code.lines {
      bytes.replaceSubrange(
        Int(line.address)..<Int(line.address) + line.bytes.count, with: line.bytes)
    }
    writePageTables()
    // Null; 64-bit code, ring 0; data, ring 0 (Intel SDM volume 3A, 3.4.5).
    for (index, descriptor) in [0, 0x00AF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF].enumerated() {
      store(UInt64(descriptor), at: Int(GuestLayout.gdt) + 8 * index)
    }
    for number in UInt32(0)..<32 { writeGate(number, to: code.exceptions + 16 * number) }
    for index in 0..<GuestLayout.vectorCount {
      writeGate(GuestLayout.firstVector + index, to: code.interrupts + 16 * index)
    }
  }

  static let gdtLimit: UInt16 = 3 * 8 - 1
  static let idtLimit: UInt16 = 256 * 16 - 1

  /// 4 GiB one to one: a PML4 of one entry, a PDPT of four, four page directories of 2 MiB pages.
  private mutating func writePageTables() {
    let root = Int(GuestLayout.pageTables)
    // Present, writable; and bit 7 in a directory entry: a 2 MiB page (Intel SDM volume 3A, 4.5.4).
    store(UInt64(root + 0x1000) | 3, at: root)
    for table in 0..<4 {
      let directory = root + 0x2000 + 0x1000 * table
      store(UInt64(directory) | 3, at: root + 0x1000 + 8 * table)
      for entry in 0..<512 {
        store(UInt64(512 * table + entry) << 21 | 0x83, at: directory + 8 * entry)
      }
    }
  }

  /// A 64-bit interrupt gate: present, ring 0, selector 8 (Intel SDM volume 3A, 6.14.1).
  private mutating func writeGate(_ vector: UInt32, to address: UInt32) {
    let low = UInt64(address & 0xFFFF) | 8 << 16 | 0x8E << 40 | UInt64(address >> 16) << 48
    store(low, at: Int(GuestLayout.idt) + 16 * Int(vector))
  }

  private mutating func store(_ value: UInt64, at offset: Int) {
    for byte in 0..<8 { bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
  }
}

/// The guest as others see it.
package enum LiveGuest {
  /// Its memory before the first instruction.
  package static var image: [UInt8] { GuestImage().bytes }
}
