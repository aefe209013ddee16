// Any interrupts in two views, matched and merged: 9 bytes each, whose first says view and CPU.

import EventModel
import TraceFormat
import TraceImport

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ input: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = UnsafeRawBufferPointer(start: input, count: count)
  var views: [[TraceEvent]] = [[], []]
  for place in 0..<count / 9 {
    let head = bytes[9 * place]
    let time = bytes.loadUnaligned(fromByteOffset: 9 * place + 1, as: UInt64.self)
    // Most times near each other, so that some match.
    let near = head & 0x40 == 0 ? time & 0xFF_FFFF : time
    let event =
      head & 0x20 == 0
      ? TraceEvent.acknowledge(time: near, target: .pe(UInt16(head & 3)), intid: 8_192)
      : TraceEvent(time: near, kind: .mark, target: .pe(UInt16(head & 3)))
    views[Int(head >> 7)].append(event)
  }
  var sightings: [InterruptSightings] = []
  for place in views.indices {
    views[place].sort { $0.time < $1.time }
    var view = InterruptSightings()
    for event in views[place] { view.note(event) }
    sightings.append(view)
  }
  var alignment = TimelineAlignment(offsetNanoseconds: -500)
  if let match = try? TimelineMatch(moved: sightings[0], to: sightings[1]) {
    alignment = match.alignment
    let residual = match.residual
    precondition(residual.matched > 0 && residual.minimum <= residual.median)
    precondition(residual.median <= residual.p99 && residual.p99 <= residual.maximum)
  }
  merge(alignment, views)
  return 0
}

private func merge(_ alignment: TimelineAlignment, _ views: [[TraceEvent]]) {
  var merge = TimelineMerge(alignment)
  var latest: UInt64 = 0
  var total = 0
  try? merge.run(fixed: view(views[1]), moved: view(views[0])) { events in
    for index in events.indices {
      precondition(events[index].time >= latest)
      latest = events[index].time
    }
    total += events.count
  }
  precondition(total == views[0].count + views[1].count)
  precondition(merge.fixedCount == UInt64(views[1].count))
}

private func view(_ events: [TraceEvent]) -> TimelineMerge.View {
  var rest = events[...]
  return { output in
    output += rest.prefix(5)
    rest = rest.dropFirst(5)
  }
}
