// Any bytes as events, 49 each: a kind and a record. A state that is rebuilt from its records is the
// same state.
import EventModel
import TraceFormat

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ input: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let recordSize = MemoryLayout<TraceEvent>.size + 1
  var geometry = TableGeometry()
  geometry.peCount = 4
  var state = ConfigurationState(geometry: geometry)
  for start in stride(from: 0, to: count - recordSize + 1, by: recordSize) {
    var event = UnsafeRawPointer(input + start + 1).loadUnaligned(as: TraceEvent.self)
    event.kind = EventKind.all[Int(input[start]) % EventKind.all.count]
    // An ASID names one table at a time; two tables under one would be a defect of the recorded software
    // that no two models read alike.
    if event.kind == .streamConfiguration {
      event.word0 = 0x7000_0000 | UInt64(event.asid & 7) << 16
    }
    state.apply(event)
  }
  let records = state.records(at: 1)
  var rebuilt = ConfigurationState(geometry: geometry)
  for record in records { rebuilt.apply(record) }
  let again = rebuilt.records(at: 1)
  if let (old, new) = zip(records, again).first(where: { $0 != $1 }) {
    fatalError("\(old) became \(new)")
  }
  precondition(records.count == again.count, "\(records.count) records became \(again.count)")
  return 0
}
