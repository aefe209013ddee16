import EventModel
import Glibc
import Testing

@testable import TraceFormat

/// A trace without a name.
@Suite struct TraceSpoolTests {
  @Test func whatIsWrittenComesBackAndTheFolderShowsNothing() throws {
    let path = try TemporaryFile().path
    let spool = try TraceSpool(beside: path)
    // Safety: Swift passes a NUL-terminated copy of the path that outlives the call.
    #expect(unsafe access("\(path).spool-\(getpid())", F_OK) != 0)
    var writer = try spool.writer()
    let events = SampleTrace.events(1_000)
    try writer.append(contentsOf: events)
    _ = try writer.finish()
    for _ in 0..<2 {
      var reader = try spool.reader()
      #expect(try SampleTrace.rest(of: &reader) == events)
    }
  }

  @Test func aFolderThatIsNotThereIsNamed() {
    #expect(throws: TraceError.self) { _ = try TraceSpool(beside: "/no/such/out.dbtrace") }
  }
}
