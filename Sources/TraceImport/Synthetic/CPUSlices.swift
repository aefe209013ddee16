import EventModel

/// Several vCPUs take turns on each CPU, a millisecond each. One that has nothing to do blocks, and is
/// passed over until an interrupt is pending for it; one with something left is preempted. Now and then
/// two vCPUs change places.
struct CPUSlices {
  private let cpus: Int
  private var pace = Pace(everyNanoseconds: 1_000_000)
  /// The vCPUs of each CPU, and which of them is on it; -1 if none is.
  private var members: [[Int]]
  private var turn: [Int]
  private var running: [Int]
  private var hasBlocked: [Bool]
  private var slices = 0

  private static let slicesPerMigration = 64

  init(vcpus: Int, vcpusPerCPU: Int) {
    cpus = max(1, vcpus / vcpusPerCPU)
    let cpus = self.cpus
    members = (0..<cpus).map { cpu in (0..<vcpus).filter { $0 % cpus == cpu } }
    turn = Array(repeating: 0, count: cpus)
    running = Array(repeating: -1, count: cpus)
    hasBlocked = Array(repeating: false, count: vcpus)
  }

  var nextTime: UInt64 { pace.nextTime }
  mutating func start(_ time: UInt64) { pace.start(time) }

  /// The end of a slice on every CPU, and the start of the next.
  mutating func turn(_ guest: inout SyntheticGuest) {
    if slices == 0 {
      for vcpu in hasBlocked.indices { guest.setRunning(vcpu, false) }
    }
    pace.tick()
    slices += 1
    for cpu in 0..<cpus { leave(cpu, &guest) }
    if slices % Self.slicesPerMigration == 0, cpus > 1 { migrate(&guest) }
    for cpu in 0..<cpus { enter(cpu, &guest) }
  }

  private mutating func leave(_ cpu: Int, _ guest: inout SyntheticGuest) {
    let vcpu = running[cpu]
    guard vcpu >= 0 else { return }
    running[cpu] = -1
    guest.setRunning(vcpu, false)
    hasBlocked[vcpu] = guest.vcpus[vcpu].isIdle
    emit(hasBlocked[vcpu] ? .vcpuBlock : .vcpuPut, vcpu, from: cpu, to: cpu, &guest)
  }

  private mutating func enter(_ cpu: Int, _ guest: inout SyntheticGuest) {
    for _ in members[cpu].indices {
      let vcpu = members[cpu][turn[cpu] % members[cpu].count]
      turn[cpu] += 1
      if hasBlocked[vcpu] && guest.vcpus[vcpu].isIdle { continue }
      running[cpu] = vcpu
      emit(.vcpuLoad, vcpu, from: cpu, to: cpu, &guest)
      guest.setRunning(vcpu, true)
      return
    }
  }

  /// The vCPUs whose turn it is on two neighbouring CPUs change places.
  private mutating func migrate(_ guest: inout SyntheticGuest) {
    let cpu = slices / Self.slicesPerMigration % cpus
    let other = (cpu + 1) % cpus
    let places = [(cpu, other), (other, cpu)]
    let chosen = places.map { turn[$0.0] % members[$0.0].count }
    let vcpus = zip(places, chosen).map { members[$0.0][$1] }
    for ((from, to), vcpu) in zip(places, vcpus) {
      emit(.vcpuMigrate, vcpu, from: from, to: to, &guest)
    }
    members[cpu][chosen[0]] = vcpus[1]
    members[other][chosen[1]] = vcpus[0]
  }

  private func emit(
    _ kind: EventKind, _ vcpu: Int, from: Int, to: Int, _ guest: inout SyntheticGuest
  ) {
    guest.emit(
      TraceEvent(
        time: 0, kind: kind, word3: pack(UInt32(from), UInt32(to)), target: .pe(UInt16(vcpu))))
  }
}
