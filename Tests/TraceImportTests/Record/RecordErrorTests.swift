import EventModel
import Glibc
import Testing

@testable import TraceImport

/// What a machine without tracefs, without an event, or with a strange tracefs is told.
@Suite struct RecordErrorTests {
  private static func error(_ body: () throws -> Void) -> RecordError? {
    do {
      try body()
      return nil
    } catch { return error as? RecordError }
  }

  @Test func aMachineWithoutTracefsIsToldWhereItWasLookedFor() throws {
    let error = Self.error { _ = try TracefsFolder.mounted(at: ["/no/such", "/nor/this"]) }
    #expect(error == .notMounted(places: ["/no/such", "/nor/this"]))
    let text = try #require(error?.description)
    #expect(text.contains("/no/such or /nor/this") && text.contains("mount -t tracefs"))
    #expect(try TracefsFolder.mounted(at: ["/no/such", RecordedRing.path]) == RecordedRing.folder)
  }

  @Test func eventsThatAreNotThereAreNamed() throws {
    var options = LiveRecorder.Options(instance: "unused")
    let missing = [TracepointName("irq", "no_such"), TracepointName("kvm", "nor_this")]
    options.events = [RecordedRing.events[0]] + missing
    let error = Self.error { _ = try LiveRecorder(options, tracefs: RecordedRing.folder) }
    #expect(error == .missingEvents(missing, tracefs: RecordedRing.path))
    let text = try #require(error?.description)
    #expect(text.contains("irq:no_such, kvm:nor_this") && text.contains(RecordedRing.path))
  }

  @Test func aKernelWithNoneOfTheEventsIsToldWhichWereLookedFor() throws {
    let empty = RecordedRing.folder.folder("per_cpu")
    let error = Self.error {
      _ = try LiveRecorder(LiveRecorder.Options(instance: "unused"), tracefs: empty)
    }
    let text = try #require(error?.description)
    for name in ["irq:irq_handler_entry", "kvm:kvm_msi_set_irq", "iommu:map", "iommu:unmap"] {
      #expect(text.contains(name))
    }
  }

  @Test func permissionsAreSaidToNeedRoot() {
    let refused = RecordError.refused(path: "/t/x", operation: "open", code: EACCES)
    #expect(
      refused.description.contains("/t/x: open failed") && refused.description.contains("root"))
    let full = RecordError.refused(path: "/t/x", operation: "open", code: ENOSPC)
    #expect(!full.description.contains("root"))
  }

  @Test func theCatalogueGoesByWhatTheKernelsOwnFormatsMean() {
    let catalogue = TracepointCatalogue(RecordedRing.folder)
    #expect(
      catalogue.defaults == [
        TracepointName("irq", "irq_handler_entry"), TracepointName("kvm", "kvm_msi_set_irq"),
      ])
    func standing(_ system: String, _ name: String) -> TracepointCatalogue.Standing? {
      catalogue.entries.first { $0.name == TracepointName(system, name) }?.standing
    }
    #expect(standing("irq", "irq_handler_exit") == .withoutMeaning)
    #expect(standing("iommu", "map") == .missing)
    #expect(Set(catalogue.entries.map(\.name)).isSuperset(of: TracepointCatalogue.wanted))
    #expect(Set(catalogue.entries.map(\.name)).count == catalogue.entries.count)
  }

  @Test(arguments: [
    "irq", "irq:", ":map", "a:b:c", "irq:../x", "irq:a/b", "irq:a b", "irq:a.b", "", ":", "ä:b",
  ])
  func aNameThatNoEventCanHaveIsNone(text: String) {
    #expect(TracepointName(text) == nil)
  }

  @Test func aNameIsASystemAndItsEvent() {
    #expect(TracepointName("irq:irq_handler_entry") == RecordedRing.events[0])
    #expect(RecordedRing.events[2].description == "kvm:kvm_msi_set_irq")
    #expect(TracepointName("irq:" + String(repeating: "x", count: 129)) == nil)
  }

  @Test func whatARingLostIsTheSumOfItsCounts() {
    let stats = """
      entries: 5
      overrun: 580
      commit overrun: 2
      bytes: 1044
      oldest event ts: 20063.962654
      dropped events: 3
      read events: 323

      """
    let loss = RingLoss(cpu: 7, stats: stats)
    #expect(loss.overrun == 580 && loss.dropped == 5 && loss.total == 585 && loss.cpu == 7)
    #expect(RingLoss(cpu: 0, stats: "overrun: none\nnonsense\n").total == 0)
  }

  @Test(arguments: TraceClock.allCases) func everyClockRuns(clock: TraceClock) {
    let first = clock.nanoseconds
    #expect(first > 0 && clock.nanoseconds >= first)
    // Wall-clock time now is between the years 2020 and 2200.
    let now = clock.epochNanoseconds + clock.nanoseconds
    #expect(now > 1_577_000_000_000_000_000 && now < 7_258_000_000_000_000_000)
  }
}
