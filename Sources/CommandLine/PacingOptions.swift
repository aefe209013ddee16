import ArgumentParser
import Replay

/// The options of `paced` and `saturate`.
struct PacingOptions: ParsableArguments {
  enum ArrivalsName: String, ExpressibleByArgument, CaseIterable {
    case recorded, fixed, poisson, bursts
  }

  enum WaitName: String, ExpressibleByArgument, CaseIterable {
    case spin, yield, sleep
    var wait: PacingWait {
      switch self {
      case .spin: .spin
      case .yield: .yield
      case .sleep: .sleep
      }
    }
  }

  @Option(
    help: """
      Start interrupts at these times: recorded, fixed or poisson at --rate, or bursts: as recorded, at \
      the speed that gives --rate (paced: recorded, fixed if --rate is given; saturate: poisson).
      """)
  var arrivals: ArrivalsName?

  @Option(
    help: "Interrupts per second in paced, such as 100k (100k where --arrivals needs a rate).")
  var rate: EventCount?

  @Option(help: "Play recorded arrivals this many times as fast (1).")
  var speed: Double = 1

  @Option(help: "Send for this long per design in paced, with units (2s).")
  var sendDuration = TraceTime(nanoseconds: 2_000_000_000)

  @Option(
    help: "Do not record interrupts before this time of paced has gone by (100ms, a tenth at most)."
  )
  var warmUp: TraceTime?

  @Option(
    help: """
      Void a paced run, with exit code 3, whose 99.9th percentile of send lag is above this (50us).
      """)
  var lagBudget = TraceTime(nanoseconds: 50_000)

  @Option(
    help: """
      Wait for the next start like this: spin, yield or sleep. Spinning keeps time best and takes a \
      whole core (spin).
      """)
  var wait: WaitName = .spin

  @Option(help: "Draw poisson arrivals from this seed (1).")
  var seed: UInt64 = 1

  @Option(help: "In saturate, this percentile of the response must keep the bound (99).")
  var percentile: Double = 99

  @Option(help: "In saturate, the bound that the percentile must keep, with units (50us).")
  var bound = TraceTime(nanoseconds: 50_000)

  func validate() throws {
    guard speed >= 0.001, speed <= 1e9 else {
      throw ValidationError("--speed must be from 0.001 to 1e9")
    }
    guard sendDuration.nanoseconds > 0, sendDuration.nanoseconds <= 86_400_000_000_000 else {
      throw ValidationError("--send-duration must be above 0 and at most a day")
    }
    if let warmUp {
      guard (0..<sendDuration.nanoseconds).contains(warmUp.nanoseconds) else {
        throw ValidationError("--warm-up must be from 0 to less than --send-duration")
      }
    }
    guard lagBudget.nanoseconds >= 0 else { throw ValidationError("--lag-budget is not negative") }
    guard percentile > 0, percentile <= 99.999 else {
      throw ValidationError("--percentile must be above 0 and at most 99.999")
    }
    guard bound.nanoseconds > 0 else { throw ValidationError("--bound must be above 0") }
    if rate != nil, arrivals == .recorded {
      throw ValidationError(
        "--rate does not go with --arrivals recorded; for recorded bursts at a rate take bursts")
    }
    if speed != 1, isRated {
      throw ValidationError("--speed goes with recorded arrivals only; give --rate or --speed")
    }
  }

  private var isRated: Bool { rate != nil || (arrivals ?? .recorded) != .recorded }

  var schedule: Arrivals {
    let perSecond = rate?.value ?? 100_000
    switch arrivals ?? (rate == nil ? .recorded : .fixed) {
    case .recorded: return .recorded(thousandths: UInt64((speed * 1_000).rounded()))
    case .fixed: return .fixed(perSecond: perSecond)
    case .poisson: return .poisson(perSecond: perSecond, seed: seed)
    case .bursts: return .bursts(perSecond: perSecond)
    }
  }

  var search: SaturationSearch.Options {
    var options = SaturationSearch.Options()
    options.percent = percentile
    options.boundNanoseconds = UInt64(bound.nanoseconds)
    options.seed = seed
    return options
  }

  /// Arrivals of `saturate` at a rate: a recording has no rate of its own, so it gives its bursts.
  func arrivals(at rate: UInt64, seed: UInt64) -> Arrivals {
    switch arrivals ?? .poisson {
    case .recorded, .bursts: .bursts(perSecond: rate)
    case .fixed: .fixed(perSecond: rate)
    case .poisson: .poisson(perSecond: rate, seed: seed)
    }
  }

  var loop: PacedLoop.Options {
    var options = PacedLoop.Options()
    options.arrivals = schedule
    options.nanoseconds = UInt64(sendDuration.nanoseconds)
    options.warmUpNanoseconds =
      warmUp.map { UInt64($0.nanoseconds) }
      ?? min(options.warmUpNanoseconds, options.nanoseconds / 10)
    options.wait = wait.wait
    options.lagBudgetNanoseconds = UInt64(lagBudget.nanoseconds)
    return options
  }
}

extension TraceTime: CustomStringConvertible {
  init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  var description: String {
    for (unit, size) in [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)]
      as [(String, Int64)]
    where nanoseconds % size == 0 && nanoseconds != 0 {
      return "\(nanoseconds / size)\(unit)"
    }
    return "\(nanoseconds)ns"
  }
}

extension Arrivals {
  /// For a reader of the record.
  var text: String {
    switch self {
    case .recorded(1_000): "recorded arrivals"
    case .recorded(let thousandths): "recorded arrivals \(Double(thousandths) / 1_000)× as fast"
    case .bursts(let rate): "recorded bursts at \(rate) interrupts/s"
    case .fixed(let rate): "\(rate) interrupts/s at equal gaps"
    case .poisson(let rate, let seed): "\(rate) interrupts/s, poisson (seed \(seed))"
    }
  }
}
