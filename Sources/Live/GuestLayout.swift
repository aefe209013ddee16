/// Where things lie in the guest's memory, which begins at guest-physical address 0 and is mapped one
/// to one. Addresses are bytes.
enum GuestLayout {
  static let memoryBytes = 2 << 20

  static let pageTables: UInt64 = 0x1000
  static let gdt: UInt64 = 0x8000
  static let idt: UInt64 = 0x9000
  static let code: UInt32 = 0x10000
  /// The stack grows down from here.
  static let stackTop: UInt64 = 0x40000

  /// Written by the host before it signals: how many interrupts it has offered until now.
  static let offered: UInt32 = 0x5_0000
  /// Written by the guest after its record: how many interrupts it has taken. A cache line away.
  static let delivered: UInt32 = 0x5_0080
  /// A ring of `GuestRecord`.
  static let records: UInt32 = 0x6_0000
  static let recordCount: UInt32 = 4096
  /// TSC before and after the programming of each MSI-X entry, 16 bytes each.
  static let programmingStamps: UInt32 = 0x10_0000

  /// The MSI-X table. No memory is there, so that each access comes back to user space.
  static let msixTable: UInt64 = 0xC000_0000

  /// Vectors of interrupts; those below 32 are exceptions, and the last is the LAPIC's spurious one.
  static let firstVector: UInt32 = 0x30
  static let vectorCount: UInt32 = 192
  /// An OUT to this port says: the program is done.
  static let endPort: UInt16 = 0xE0
  /// An OUT to this port gives the number of an exception.
  static let exceptionPort: UInt16 = 0xE1
}

/// What the guest's handler writes: 32 bytes.
///
///     0  TSC on entry
///     8  `offered`, as it read it
///    16  vector
///    24  sequence, from 1
struct GuestRecord: Hashable {
  var tsc: UInt64
  var offered: UInt64
  var vector: UInt64
  var sequence: UInt64
}
