import Foundation
import History
import Testing

/// `live` as a user runs it: what it refuses anywhere, and on a /dev/kvm the rest.
@Suite(.serialized) struct LiveVerbTests {
  private static let obstacle: Comment? =
    FileManager.default.isWritableFile(atPath: "/dev/kvm") ? nil : "no /dev/kvm to write to here"

  private static let few = ["--interrupts", "10", "--rounds", "2", "--timeout", "10s"]

  private static func live(_ arguments: [String]) throws -> Tool.Result {
    let words = (["live"] + arguments).map { "'\($0)'" }.joined(separator: " ")
    return try Tool.pipeline("\"$0\" \(words)")
  }

  @Test func wrongValuesAreWrongUsage() throws {
    for words in [
      ["--design", "vlpi"], ["--vcpu", "asleep"], ["--vectors", "193"], ["--vectors", "0"],
      ["--interrupts", "0"], ["--timeout", "0s"], ["--gap", "11s"], ["--gap", "50"],
    ] {
      let result = try Self.live(words)
      #expect(result.status == 64, "\(words): \(result.text)")
      #expect(result.output.isEmpty)
    }
  }

  private static let posts = ["kvm_amd/parameters/avic", "kvm_intel/parameters/enable_apicv"]
    .contains { name in
      let text = try? String(contentsOfFile: "/sys/module/\(name)", encoding: .utf8)
      return ["Y", "1"].contains(text?.trimmingCharacters(in: .whitespacesAndNewlines))
    }

  @Test(.enabled(if: !posts, "KVM posts here, so direct may run"))
  func directIsNamedAndNotImitated() throws {
    let result = try Self.live(["--design", "direct"])
    #expect(result.status == 3 && result.output.isEmpty)
    #expect(result.error.contains("direct: not available"), "\(result.text)")
    #expect(result.error.contains("does not post to a running vCPU"), "\(result.text)")
  }

  @Test(.enabled(if: obstacle != nil, "there is a /dev/kvm here")) func aMissingKVMIsNamed() throws
  {
    let result = try Self.live(["--design", "eventfd"])
    #expect(result.status == 3 && result.error.contains("/dev/kvm"), "\(result.text)")
  }

  @Test(.enabled(if: obstacle == nil, obstacle)) func theTableHasEveryPart() throws {
    let result = try Self.live(
      ["--design", "eventfd,trapped", "direct", "--vcpu", "halted", "--vectors", "3"] + Self.few)
    #expect(result.status == 0, "\(result.text)")
    for part in [
      "mode   live", "kvm    ", "Delivery, one in flight", "  eventfd halted", "Bursts",
      "Set-up of trapped", "Ledger", "direct",
    ] {
      #expect(result.output.contains(part), "\(part)\n\(result.output)")
    }
  }

  @Test(.enabled(if: obstacle == nil, obstacle)) func theRecordIsOneOfRunRecords() throws {
    try Folder.use { folder in
      let path = folder.path("live.json")
      let result = try Self.live(
        [
          "--design", "bounce", "trapped", "--vcpu", "blocked", "--vectors", "2", "--format",
          "json", "-o", path,
        ] + Self.few)
      #expect(result.status == 0, "\(result.text)")
      let record = try RunRecord.read(from: path)
      #expect(try record.json() + Data("\n".utf8) == Data(result.output.utf8))
      #expect(record.cells.map(\.experiment) == ["live-blocked", "live-set-up-2"])
      for cell in record.cells {
        #expect(cell.mode == "live")
        let ledger = try #require(cell.ledger)
        #expect(ledger.isConserved && ledger.lostTotal == 0 && ledger.delivered > 0)
        #expect(cell.metric("swift-to-c")?.samples.isEmpty == false)
      }
      #expect(record.cells[0].parameters["halt-poll-ns"] == "0")
      #expect(record.cells[1].setUpCounters["msix-traps"] == 10)
      #expect(record.host.facts["kvm-module"] != nil)
    }
  }

  @Test func trappedStoresNeedNoKVM() throws {
    let result = try Self.live(["--traps", "--stores", "20"])
    #expect(result.status == 0, "\(result.text)")
    #expect(result.output.contains("sigsegv"))
    #expect(result.output.contains("userfaultfd"), "measured, or named as not available")
  }

  /// SIGINT is what Ctrl-C sends.
  @Test(.enabled(if: obstacle == nil, obstacle)) func aSignalEndsIt() throws {
    let result = try Tool.pipeline(
      "\"$0\" live --design eventfd --vcpu blocked --interrupts 10000000 & sleep 0.5; "
        + "kill -INT $!; wait $!")
    #expect(result.status == 130, "\(result.text)")
    #expect(result.error.contains("interrupted"))
    #expect(result.output.isEmpty)
  }
}
