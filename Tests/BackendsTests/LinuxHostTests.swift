import Backends
import Testing

/// The model of a real host on its own: one bind of a driver as a guest makes it, with the counts worked
/// out by hand.
@Suite struct LinuxHostTests {
  /// Vector 0 alone, given up again; then three vectors; then everything taken away.
  private static let bind: [GuestAction] =
    enable + [mask(0, false), mask(0, true), disable] + enable
    + [mask(0, false), mask(1, false), mask(2, false)]
    + [mask(2, true), mask(1, true), mask(0, true), disable]
  private static let enable: [GuestAction] = [
    .messageControl(isEnabled: true, isMasked: true),
    .messageControl(isEnabled: true, isMasked: false),
  ]
  private static let disable: GuestAction = .messageControl(isEnabled: false, isMasked: false)

  private static func mask(_ entry: Int, _ isMasked: Bool) -> GuestAction {
    .tableStore(entry: entry, word: 3, value: isMasked ? 1 : 0)
  }

  private func work(_ stack: HostStack, _ actions: [GuestAction]) -> HostWork {
    var host = LinuxHost(stack, tableSize: 5)
    for action in actions { host.apply(action) }
    return host.work
  }

  @Test func aBindWithoutIRQFDProgramsAVectorNineTimes() {
    let work = work(.userSpace, Self.bind)
    // Enabled with 1 twice, unmasked 1 twice, grown to 2 and to 3.
    #expect(work[.mapti] == 1 + 1 + 1 + 1 + 2 + 3)
    #expect(work[.discard] == work[.mapti])
    #expect(work[.inv] == 2 * work[.mapti])
    #expect(work[.msixEnables] == 4)
    #expect(work[.mapd] == 8)
    // Enable n: 5 masks, n × (3 + 3 + 1); unmask: 1 + 3 + 3 + 3 + 1; disable n: n × (1 + 3 + 1).
    let enables = (5 + 7) + (5 + 7) + (5 + 14) + (5 + 21)
    let disables = 5 * (1 + 1 + 2 + 3)
    // Growing enables without a trigger the vector that is then set: its store is in `enables`.
    #expect(work[.tableWrites] == enables + 2 * 11 + disables)
  }

  @Test func anIRQFDCostsAProgrammingForEachMaskAndEachGivingUp() {
    let userSpace = work(.userSpace, Self.bind)
    let irqfd = work(.irqfd, Self.bind)
    #expect(irqfd[.mapti] == userSpace[.mapti] + 8)
    #expect(irqfd[.tableWrites] == userSpace[.tableWrites] + 8 * 11)
    #expect(irqfd[.vmapti] == 0)
  }

  @Test func forwardingAddsTwoWaysForEveryVectorThatIsSetAnew() {
    let irqfd = work(.irqfd, Self.bind)
    let vlpi = work(.vlpi, Self.bind)
    // Unmasked twice alone, then 2 and 3 when the number grows.
    #expect(vlpi[.vmapti] == 1 + 1 + 2 + 3)
    #expect(vlpi[.mapti] == irqfd[.mapti] + 7)
    #expect(vlpi[.discard] == irqfd[.discard] + 14)
    #expect(vlpi[.inv] == irqfd[.inv] + 7)
    #expect(vlpi[.tableWrites] == irqfd[.tableWrites])
  }

  @Test func onlyAForwardedEventCostsTheHostACommandWhenTheGuestMovesIt() {
    let armed = Self.enable + [Self.mask(0, false)]
    let move = GuestAction.commands([.move(event: 0)])
    #expect(work(.vlpi, armed + [move])[.vmovi] == 1)
    #expect(work(.vlpi, armed + [Self.mask(0, true), move])[.vmovi] == 0)
    #expect(work(.irqfd, armed + [move])[.vmovi] == 0)
    let gone = work(.vlpi, armed + [.commands([.discard(event: 0)]), move])
    #expect(gone[.vmovi] == 0)
    #expect(gone[.mapti] == work(.vlpi, armed)[.mapti] + 1)
  }

  @Test func aMoveMakesTheNextMessageOfEveryEventGoTheSlowWay() {
    let messages: [GuestAction] = [.handler(event: 1), .handler(event: 2), .handler(event: 1)]
    let work = work(.irqfd, messages + [.commands([.move(event: 0)])] + messages)
    #expect(work[.handlers] == 6)
    #expect(work[.slowInjections] == 4)
    #expect(work[.cacheLookups] == 6 + 4)
  }

  @Test func vCPUsCostCommandsOnlyWithForwardingAndWithoutRegistersForLPIs() {
    let life: [GuestAction] = [
      .start(vCPUs: 2), .load(vCPU: 0, pe: 0), .load(vCPU: 1, pe: 1), .block(vCPU: 1),
      .load(vCPU: 1, pe: 0), .end,
    ]
    let proxied = work(.vlpi, life)
    #expect(proxied[.vmapp] == 4)
    #expect(proxied[.vmovp] == 2)
    #expect(proxied[.proxyMovi] == 2)
    #expect(proxied[.proxyClear] == 3)
    #expect(proxied[.proxyInv] == 2)
    var direct = HostStack.vlpi
    direct.needsProxy = false
    let registers = work(direct, life)
    #expect(registers[.vmovp] == 2)
    #expect(registers[.sync] == 0)
    #expect(work(.irqfd, life) == HostWork())
  }

  @Test func anEntryBeyondTheTableIsATrapAndNothingElse() {
    let work = work(.vlpi, [.tableStore(entry: 5, word: 3, value: 0), .invalidate(event: 9)])
    #expect(work[.tableTraps] == 1)
    #expect(work[.tableWrites] == 0)
    #expect(work[.sync] == 0)
  }
}
