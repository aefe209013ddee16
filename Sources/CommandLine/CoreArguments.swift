import ArgumentParser
import Replay

/// What `replay` takes for `core` alone, much of it for those who start many launches: `gate`, `aa`,
/// `inject` and suites.
struct CoreArguments: ParsableArguments {
  enum Equality: String, ExpressibleByArgument, CaseIterable { case full, brief, digest }

  @Option(help: "Time the warm passes of core for at least this long (300ms).")
  var duration = TraceTime(argument: "300ms")!

  @Option(
    help: """
      Prove designs in full; or so, but take no more passes of core than one of many launches would: \
      brief; or only state the digest of all outcomes, for a caller who has proved this very build on \
      this trace before: digest; brief and digest go with core alone (full).
      """)
  var equality: Equality = .full

  @Option(
    help: "Give the SMMU's TLB this many entries, rounded up to a power of two; 0 is none (2048).")
  var tlbEntries: Int?

  @Option(
    help: ArgumentHelp(
      """
      Slow a stage of core by a known share: delivery=3% or set-up=3%, direct:delivery=3% for one \
      design; see 'doorbell inject --help'.
      """,
      visibility: .hidden))
  var inject: DelayArgument?

  func validate() throws {
    guard duration.nanoseconds >= 0 else {
      throw ValidationError("--duration takes a time that is not negative")
    }
    guard (0...1 << 24).contains(tlbEntries ?? 0) else {
      throw ValidationError("--tlb-entries takes a number from 0 to \(1 << 24)")
    }
  }

  func apply(to options: inout CoreExperiment.Options) {
    options.warmNanoseconds = UInt64(duration.nanoseconds)
    options.delay = inject?.delay
    guard equality != .full else { return }
    // One of many launches: what is repeated across them is not repeated within.
    options.coldPasses = 1
    options.trafficPasses = 0
    options.thrashPasses = 0
    options.counterPasses = 0
  }

  /// What a record must say beside the figures.
  var parameters: [String: String] {
    var parameters: [String: String] = [:]
    parameters["injected"] = inject?.description
    parameters["tlb-entries"] = tlbEntries.map { "\($0)" }
    return parameters
  }

  var warnings: [String] {
    inject.map { ["core was slowed on purpose: \($0)"] } ?? []
  }
}

/// A stage of core and a share: delivery=3%, up to a thousand per cent; in one design direct:delivery=3%.
struct DelayArgument: ExpressibleByArgument, CustomStringConvertible {
  var delay: InjectedDelay
  /// Nil: in every design.
  var design: String?

  var description: String { (design.map { "\($0):" } ?? "") + "\(delay)" }

  init?(argument: String) {
    let words = argument.split(separator: ":", omittingEmptySubsequences: false)
    guard words.count <= 2, let last = words.last else { return nil }
    design = words.count == 2 ? String(words[0]) : nil
    let parts = last.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, let stage = InjectedDelay.Stage(rawValue: String(parts[0])),
      parts[1].hasSuffix("%"), let percent = Double(parts[1].dropLast()),
      (0...1000).contains(percent)
    else { return nil }
    delay = InjectedDelay(stage: stage, share: percent / 100)
  }
}
