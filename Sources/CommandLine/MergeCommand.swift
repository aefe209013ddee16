import ArgumentParser
import EventModel
import Foundation
import TraceFormat

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Put several traces on one time line.",
    usage: "doorbell merge <traces> ... --output <output> [<options>]",
    discussion: """
      Orders the events of all inputs by time; at the same time the input that is named first goes \
      first. Each input may have an offset, which is added to its times: use it to lay a host's and \
      a guest's recording of the same load side by side. Memory does not grow with the traces.

      Try:
        doorbell merge Traces/boot.dbtrace Traces/faults.dbtrace -o both.dbtrace
        doorbell merge Traces/{boot,faults}.dbtrace --offset 0s --offset 9s -o two
      """)

  @Argument(help: "Read these traces.")
  var traces: [String]

  @Option(
    name: .customLong("offset"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      """
      Add this duration to the times of an input, such as 1.5ms or -20us; once for each input, in \
      their order (all 0s).
      """, valueName: "duration"))
  var offsets: [TraceTime] = []

  @OptionGroup var keyFrames: KeyFrameInterval

  @OptionGroup var output: TraceOutput

  @Option(help: "Print the result in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    guard traces.count >= 2 else { throw ValidationError("merge takes two traces or more") }
    guard offsets.isEmpty || offsets.count == traces.count else {
      throw ValidationError(
        "--offset takes one duration per trace: \(traces.count), not \(offsets.count)")
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      try output.refuse(inputs: traces)
      let summary = try output.removingPartial(write)
      try format.print(WrittenTrace(output, summary)) { output.line(summary) }
    }
  }

  private func write() throws -> TraceSummary {
    var inputs: [MergeInput] = []
    for (index, path) in traces.enumerated() {
      inputs.append(
        try MergeInput(path: path, offset: offsets.isEmpty ? 0 : offsets[index].nanoseconds))
    }
    let headers = inputs.map(\.header)
    var options = output.options(inputCodec: headers[0].codec)
    keyFrames.apply(to: &options)
    var writer = try TraceWriter(
      path: output.output, description: description(headers.map(\.description)), options: options)
    let total = headers.reduce(0) { $0 + ($1.totals?.events ?? 0) }
    var progress = Progress("merge")
    while let next = inputs.indices.filter({ inputs[$0].head != nil })
      .min(by: { inputs[$0].headTime < inputs[$1].headTime })
    {
      // Everything of this input that comes before the others' heads.
      let others = inputs.indices.filter { $0 != next && inputs[$0].head != nil }
      let limit = others.map { (time: inputs[$0].headTime, index: $0) }
        .min { ($0.time, $0.index) < ($1.time, $1.index) }
      repeat {
        guard let event = inputs[next].head else { break }
        try writer.append(event)
        try inputs[next].advance()
      } while limit.map { (inputs[next].headTime, next) < ($0.time, $0.index) } ?? true
      progress.update(writer.eventCount, of: total)
    }
    progress.finish()
    return try writer.finish()
  }

  private func description(_ inputs: [TraceDescription]) -> TraceDescription {
    var merged = inputs[0]
    for (index, input) in inputs.enumerated() {
      if input.clockDomain != merged.clockDomain { merged.clockDomain = .unknown }
      merged.clockResolutionNanoseconds = max(
        merged.clockResolutionNanoseconds, input.clockResolutionNanoseconds)
      merged.origins |= input.origins
      if input.geometry.itsTranslationPage != merged.geometry.itsTranslationPage {
        Console.warning(
          "\(traces[index]) was recorded on a machine whose ITS translation page is "
            + "0x\(String(input.geometry.itsTranslationPage, radix: 16)); the merged trace has that of "
            + "\(traces[0]), so its interrupts may not replay")
      }
      merged.geometry.widen(input.geometry)
    }
    merged.addProvenance("merge")
    for (index, path) in traces.enumerated() {
      let shift = offsets.isEmpty ? 0 : offsets[index].nanoseconds
      merged.provenance.append(
        .init("source", "\((path as NSString).lastPathComponent) at \(shift) ns"))
    }
    return merged
  }
}

extension TableGeometry {
  /// Makes room for what another machine has.
  fileprivate mutating func widen(_ other: TableGeometry) {
    deviceIDBits = max(deviceIDBits, other.deviceIDBits)
    eventIDBits = max(eventIDBits, other.eventIDBits)
    collectionIDBits = max(collectionIDBits, other.collectionIDBits)
    vPEIDBits = max(vPEIDBits, other.vPEIDBits)
    intidBits = max(intidBits, other.intidBits)
    streamIDBits = max(streamIDBits, other.streamIDBits)
    inputAddressBits = max(inputAddressBits, other.inputAddressBits)
    outputAddressBits = max(outputAddressBits, other.outputAddressBits)
    peCount = max(peCount, other.peCount)
    vPECount = max(vPECount, other.vPECount)
  }
}
