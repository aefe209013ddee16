import ArgumentParser
import Foundation
import Gates
import Replay
import Reports

struct InjectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inject",
    abstract: "Slow a stage by a known amount and see whether the gate catches it.",
    discussion: """
      Runs 'gate' over a build and the same build with a stage of core that lasts longer by a known \
      share, exact by construction; or with a smaller TLB, which changes work counters and nothing else \
      that is checked. Use it to prove a gate before you rely on it, and in CI to see that it can fail. \
      Exit codes: 0 caught, 1 missed, 2 inconclusive, 3 could not measure.

      Try:
        doorbell inject --by 10% --budget 10s
        doorbell inject --tlb-entries 64 --budget 10s
      """)

  @Argument(help: "Use this executable, build folder or plug-in (this tool itself).")
  var arm: String?

  @Option(help: "Slow this stage of core: delivery or set-up (delivery).")
  var slow: CoreStage = .delivery

  @Option(help: "Slow it by this share (3%).")
  var by = Share(0.03)

  @Option(name: .customLong("in"), help: "Slow it in this design alone (all that are run).")
  var design: String?

  @Option(help: "Instead give the SMMU's TLB so many entries: exact work changes.")
  var tlbEntries: Int?

  @OptionGroup var plan: GatePlan

  @OptionGroup var policy: PolicyArguments

  @Option(help: "Print in this form.")
  var format: OutputFormat = .table

  @OptionGroup var verbosity: Verbosity

  func validate() throws {
    guard by.value > 0, by.value <= 10 else {
      throw ValidationError("--by takes a share above 0%, up to 1000%")
    }
    if let design, !plan.designs.contains(design) {
      throw ValidationError("--in \(design) is none of the designs: \(plan.designs)")
    }
    guard (0...1 << 24).contains(tlbEntries ?? 0) else {
      throw ValidationError("--tlb-entries takes a number from 0 to \(1 << 24)")
    }
  }

  func run() throws {
    try reportingFailure(verbosity) {
      var plan = plan
      if !plan.stages.contains(slow) { plan.stages.append(slow) }
      let baseline = try Arm(arm ?? Arm.thisTool())
      var candidate = baseline
      candidate.arguments = injection
      candidate.name += " " + injection.joined(separator: " ")
      if baseline.plugin != nil, tlbEntries != nil {
        throw Failure("\(baseline.name): a plug-in has a TLB of its own; slow a stage of it")
      }
      var run = try GateRun(baseline, candidate, plan: plan, policy: policy.policy)
      let gate = try run.judge(skippingIdentical: false)
      let document = InjectionDocument(
        injected: injection[1], gate: gate,
        isSlowed: tlbEntries == nil
          ? { $0.stage == slow.rawValue && (design == nil || $0.design == design) } : nil)
      try format.print(document) { InjectionReport(document).text() }
      let status: ExitStatus =
        switch document.answer {
        case .caught: .pass
        case .missed: .regression
        case .inconclusive: .inconclusive
        case .couldNotMeasure: .couldNotMeasure
        }
      if status != .pass { throw ExitCode(status.rawValue) }
    }
  }

  private var injection: [String] {
    if let tlbEntries { return ["--tlb-entries", "\(tlbEntries)"] }
    let place = design.map { "\($0):" } ?? ""
    return ["--inject", "\(place)\(slow.rawValue)=\(by.value * 100)%"]
  }
}
