import Foundation
import Testing

/// `record` as a user runs it: on any machine what it refuses, and where tracing is allowed the rest.
@Suite(.serialized) struct RecordTests {
  /// nil where this is root with a tracefs that takes instances and has interrupts.
  private static let obstacle: Comment? = {
    let tracefs = "/sys/kernel/tracing"
    guard
      FileManager.default.isReadableFile(atPath: "\(tracefs)/events/irq/irq_handler_entry/format")
    else { return "no tracefs with irq:irq_handler_entry here, or not root" }
    guard FileManager.default.isWritableFile(atPath: "\(tracefs)/instances") else {
      return "not root"
    }
    return nil
  }()

  /// A name that no other test uses, and whether its instance is there.
  private static func instance() -> String {
    "doorbell_test_" + UUID().uuidString.filter { $0 != "-" }
  }

  private static func exists(_ instance: String) -> Bool {
    FileManager.default.fileExists(atPath: "/sys/kernel/tracing/instances/\(instance)")
  }

  /// Interrupts while it records: a disk is written to.
  private static let load =
    "(for i in {1..200}; do dd if=/dev/zero of=\"$1.disk\" bs=4k count=4 conv=fsync status=none; "
    + "sleep 0.01; done) & load=$!; trap 'kill -KILL $load' EXIT; "

  @Test func wrongValuesAreWrongUsage() throws {
    for words in [
      ["--duration", "0s"], ["--duration", "-1s"], ["--event", "irq"], ["--event", "irq:../x"],
      ["--instance", "../x"], ["--buffer-size", "5"], ["--buffer-size", "3KiB"],
      ["--clock", "sun"],
      ["--level", "23"],
    ] {
      let line = words.map { "'\($0)'" }.joined(separator: " ")
      let result = try Tool.pipeline("\"$0\" record -o /no/such/out \(line)")
      #expect(result.status == 64, "\(line): \(result.text)")
    }
    #expect(try Tool.run("record").status == 64)
  }

  @Test func aPartialFileOfAnEarlierRecordingIsLeftAlone() throws {
    try Folder.use { folder in
      let output = folder.path("out.dbtrace")
      let partial = output + ".partial"
      try Data("something".utf8).write(to: URL(fileURLWithPath: partial))
      let result = try Tool.run("record", "-o", output)
      #expect(result.status == 3)
      #expect(result.error.contains("\(partial): is there"), "\(result.error)")
      #expect(result.error.contains("doorbell recover"))
      #expect(try Data(contentsOf: URL(fileURLWithPath: partial)) == Data("something".utf8))
      #expect(!FileManager.default.fileExists(atPath: output))
    }
  }

  @Test(.enabled(if: obstacle == nil, obstacle)) func aMissingEventIsNamedAndNothingStays() throws {
    try Folder.use { folder in
      let instance = Self.instance()
      let result = try Tool.run(
        "record", "--event", "irq:irq_handler_entry", "irq:no_such", "kvm:nor_this", "--instance",
        instance, "-o", folder.path("out.dbtrace"))
      #expect(result.status == 3)
      #expect(result.error.contains("irq:no_such, kvm:nor_this"), "\(result.error)")
      #expect(result.error.split(separator: "\n").count == 1)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.root).isEmpty)
      #expect(!Self.exists(instance))
    }
  }

  @Test(.enabled(if: obstacle == nil, obstacle)) func theListSaysWhatIsHere() throws {
    struct List: Decodable {
      struct Event: Decodable {
        var name: String
        var standing: String
      }
      var version: Int
      var tracefs: String
      var events: [Event]
    }
    let result = try Tool.run("record", "--list", "--format", "json")
    let list = try JSONDecoder().decode(List.self, from: Data(result.output.utf8))
    #expect(list.version == 1 && list.tracefs.hasPrefix("/sys/kernel/"))
    #expect(
      list.events.contains { $0.name == "irq:irq_handler_entry" && $0.standing == "recorded" })
    let table = try Tool.run("record", "--list")
    for event in list.events { #expect(table.output.contains("  \(event.name) ")) }
  }

  /// SIGINT is what Ctrl-C sends.
  @Test(.enabled(if: obstacle == nil, obstacle), arguments: ["INT", "TERM", "HUP"])
  func aSignalEndsTheRecordingWithAWholeTrace(signal: String) throws {
    try Folder.use { folder in
      let instance = Self.instance()
      let output = folder.path("out.dbtrace")
      let result = try Tool.pipeline(
        Self.load
          + "\"$0\" record --event irq:irq_handler_entry --instance $2 -o \"$1\" & sleep 1; "
          + "kill -\(signal) $!; wait $!", output, instance)
      #expect(result.status == 0, "\(result.text)")
      #expect(result.output.contains("wrote    \(output): "))
      #expect(result.output.contains("lost     0 events\n"))
      #expect(try Tool.run("verify", output).status == 0)
      let info = try Tool.run("info", output).output
      for fact in ["clock mono", "recorded event irq:irq_handler_entry", "clock     host, 1 ns"] {
        #expect(info.contains(fact), "\(fact)\n\(info)")
      }
      let events = try Tool.run("cat", output, "--format", "csv").output.split(separator: "\n")
      #expect(events.count > 1, "no interrupt came")
      #expect(!FileManager.default.fileExists(atPath: output + ".partial"))
      #expect(!Self.exists(instance))
    }
  }

  @Test(.enabled(if: obstacle == nil, obstacle)) func theDurationEndsItToo() throws {
    try Folder.use { folder in
      let result = try Tool.run(
        "record", "--duration", "300ms", "--event", "irq:irq_handler_entry", "--clock", "boot",
        "--origin", "guest", "--codec", "lz4", "-o", folder.path("out.dbtrace"), "--format", "json")
      #expect(result.status == 0, "\(result.text)")
      struct Document: Decodable {
        var version: Int
        var events: Int
        var lostEvents: Int
      }
      let document = try JSONDecoder().decode(Document.self, from: Data(result.output.utf8))
      #expect(document.version == 1 && document.lostEvents == 0)
      let info = try Tool.run("info", folder.path("out.dbtrace")).output
      #expect(info.contains("clock boot") && info.contains("guest") && info.contains("lz4"))
    }
  }

  /// What SIGKILL leaves: whole frames, the old file, and no instance.
  @Test(.enabled(if: obstacle == nil, obstacle))
  func aKilledRecordingLeavesItsFramesAndNoInstance() throws {
    try Folder.use { folder in
      let instance = Self.instance()
      let output = folder.path("out.dbtrace")
      let result = try Tool.pipeline(
        Self.load
          + "\"$0\" record --event irq:irq_handler_entry --instance $2 -o \"$1\" & sleep 2.5; "
          + "kill -KILL $!; wait $!; true", output, instance)
      #expect(result.status == 0)
      #expect(!FileManager.default.fileExists(atPath: output))
      let partial = output + ".partial"
      #expect(try Tool.run("verify", partial).status == 3)
      #expect(try Tool.run("recover", partial, "-o", output).status == 3, "reads what it writes")
      let saved = folder.path("saved.dbtrace")
      let recovered = try Tool.run("recover", partial, "-o", saved)
      #expect(recovered.status == 0, "\(recovered.text)")
      #expect(try Tool.run("verify", saved).status == 0)
      for _ in 0..<50 where Self.exists(instance) { usleep(100_000) }
      #expect(!Self.exists(instance))
    }
  }
}
