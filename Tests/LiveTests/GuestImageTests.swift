import Foundation
import Testing

@testable import Live

/// The guest's bytes: as they were, and as somebody else reads them.
@Suite struct GuestImageTests {
  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
  }

  /// `address<tab>bytes<tab>text`.
  private static func listing(_ lines: [GuestAssembler.Line]) -> String {
    lines.map { "\(String($0.address, radix: 16))\t\(hex($0.bytes))\t\($0.text)\n" }.joined()
  }

  @Test func theProgramIsTheOneThatWasReviewed() throws {
    let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Golden/guest.lst")
    let expected = String(decoding: try Data(contentsOf: golden), as: UTF8.self)
    let found = Self.listing(GuestCode().lines)
    #expect(
      found == expected, "if this is meant, review the difference and write the new one to Golden")
  }

  /// binutils read the bytes back as the text that stands beside them.
  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/objdump"),
      "no /usr/bin/objdump here"))
  func objdumpReadsTheSameInstructions() throws {
    let code = GuestCode()
    let image = GuestImage().bytes
    let last = try #require(code.lines.last)
    let end = Int(last.address) + last.bytes.count
    let file = NSTemporaryDirectory() + "doorbell-guest-\(UUID()).bin"
    try Data(image[Int(GuestLayout.code)..<end]).write(to: URL(fileURLWithPath: file))
    defer { try? FileManager.default.removeItem(atPath: file) }
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/objdump")
    process.arguments = [
      "-D", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", "--insn-width=16",
      "--adjust-vma=0x\(String(GuestLayout.code, radix: 16))", file,
    ]
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    var texts: [UInt32: String] = [:]
    for line in output.split(separator: "\n") {
      let parts = line.split(separator: "\t").map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.count == 3, let address = UInt32(parts[0].dropLast(), radix: 16) else { continue }
      texts[address] = parts[2].split(separator: " ").joined(separator: " ")
    }
    for line in code.lines {
      #expect(texts[line.address] == line.text, "at \(String(line.address, radix: 16))")
    }
  }

  @Test func linesFollowEachOtherWithoutOverlap() {
    var end: UInt32 = 0
    for line in GuestCode().lines {
      #expect(line.address >= end)
      end = line.address + UInt32(line.bytes.count)
    }
    #expect(UInt64(end) < GuestLayout.stackTop - 0x8000)
  }

  /// Every gate leads to the stub of its own vector.
  @Test func gatesLeadToTheirStubs() throws {
    let (image, code) = (GuestImage().bytes, GuestCode())
    let byAddress = Dictionary(uniqueKeysWithValues: code.lines.map { ($0.address, $0) })
    for vector in UInt32(0)..<256 {
      let gate = Int(GuestLayout.idt) + 16 * Int(vector)
      let target =
        UInt32(image[gate]) | UInt32(image[gate + 1]) << 8 | UInt32(image[gate + 6]) << 16
        | UInt32(image[gate + 7]) << 24
      let index = Int(vector) - Int(GuestLayout.firstVector)
      if vector < 32 {
        #expect(byAddress[target]?.text == "mov al,0x\(String(vector, radix: 16))")
      } else if (0..<Int(GuestLayout.vectorCount)).contains(index) {
        #expect(byAddress[target]?.text == "push 0x\(String(vector, radix: 16))")
      } else {
        #expect(target == 0, "vector \(vector) has no handler")
        continue
      }
      #expect(image[gate + 2] == 8 && image[gate + 5] == 0x8E)
    }
  }

  /// PML4 → PDPT → page directories: every 2 MiB of the first 4 GiB leads to itself.
  @Test func memoryIsMappedOneToOne() {
    let image = GuestImage().bytes
    func entry(_ table: UInt64, _ index: Int) -> UInt64 {
      (0..<8).reduce(0) { $0 | UInt64(image[Int(table) + 8 * index + $1]) << (8 * UInt64($1)) }
    }
    let directories = entry(GuestLayout.pageTables, 0)
    #expect(directories & 3 == 3)
    for megabytes in 0..<2048 {
      let directory = entry(directories & ~0xFFF, megabytes / 512)
      #expect(directory & 3 == 3)
      let page = entry(directory & ~0xFFF, megabytes % 512)
      #expect(page == UInt64(megabytes) << 21 | 0x83)
    }
  }
}
