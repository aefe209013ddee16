import ArgumentParser

/// The options of `scale`.
struct ScaleOptions: ParsableArguments {
  @Option(help: "Measure 1 to this many device threads in scale (4).")
  var deviceThreads = 4

  @Option(help: "Take interrupts with this many vCPU threads in scale (1).")
  var vcpuThreads = 1

  @Option(help: "Play the trace this many times over in each run of scale (20).")
  var scalePasses = 20

  func validate() throws {
    guard (1...256).contains(deviceThreads), (1...256).contains(vcpuThreads) else {
      throw ValidationError("--device-threads and --vcpu-threads take numbers from 1 to 256")
    }
    guard scalePasses > 0 else { throw ValidationError("--scale-passes takes a number above 0") }
  }
}
