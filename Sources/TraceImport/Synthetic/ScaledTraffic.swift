import EventModel

/// Plays the sources of a sample on a guest, each at its own times.
struct ScaledTraffic {
  private struct Player {
    var source: SampledSource
    /// Of a device, or of a vCPU.
    var number: Int
    var random: RandomStream
    var time: UInt64 = 0
    var block = 0
    var position = 0
    /// Added to the vector's number, so that all vectors of the device have their turn.
    var vectorBase = 0
    /// Events since the source last did nothing.
    var sinceIdle: UInt64 = 0
    /// What division of gaps left over.
    var remainder: UInt64 = 0
    var stacks: [ReuseStack<Int>]
  }

  private let paceThousandths: UInt64
  private let latencies: [(latency: UInt64, handling: UInt64)]
  private let vcpuCount: Int
  private var isLoaded: [Bool]
  private var players: [Player] = []
  /// Numbers of players, the one with the earliest time first (a binary heap).
  private var heap: [Int]

  init(_ generator: ScaledGenerator, seed: UInt64, from start: UInt64) {
    paceThousandths = generator.paceThousandths
    latencies =
      generator.sample.latencies.isEmpty ? [(2_000, 2_000)] : generator.sample.latencies
    vcpuCount = generator.shape.vcpus
    isLoaded = Array(repeating: false, count: vcpuCount)
    var random = RandomStream(seed: seed)
    func add(_ sources: [SampledSource], count: Int, to players: inout [Player]) {
      for number in 0..<count {
        let source = sources[number % sources.count]
        players.append(
          Player(
            source: source, number: number, random: random.split(),
            stacks: source.pools.map { _ in ReuseStack(limit: LeafPool.limit) }))
      }
    }
    add(generator.devices, count: generator.shape.devices, to: &players)
    if !generator.vcpuLives.isEmpty {
      add(generator.vcpuLives, count: generator.shape.vcpus, to: &players)
    }
    heap = Array(players.indices)
    for index in players.indices { begin(index, start) }
    for index in stride(from: heap.count / 2, through: 0, by: -1) { sink(index) }
  }

  /// Somewhere in the source's life, and somewhere in the gap before that.
  private mutating func begin(_ index: Int, _ start: UInt64) {
    let life = players[index].source.eventCount
    players[index].sinceIdle = players[index].random.next() % life
    choose(index)
    players[index].time = start
    let events = players[index].source.blocks[players[index].block].count
    players[index].position = players[index].random.below(events)
    let gap = schedule(index)
    players[index].time = start + players[index].random.next() % (gap + 1)
  }

  /// The next run, with its share of the time when the source did nothing.
  private mutating func choose(_ index: Int) {
    let source = players[index].source
    players[index].block = players[index].random.below(source.blocks.count)
    players[index].position = 0
    players[index].vectorBase = players[index].random.below(1 << 16) * source.targets.count
    players[index].sinceIdle += UInt64(source.blocks[players[index].block].count)
    if players[index].sinceIdle >= source.eventCount {
      players[index].sinceIdle -= source.eventCount
      wait(index, source.idleNanoseconds)
    }
  }

  private mutating func wait(_ index: Int, _ nanoseconds: UInt64) {
    let (high, low) = nanoseconds.multipliedFullWidth(by: 1_000)
    let (sum, carry) = low.addingReportingOverflow(players[index].remainder)
    guard high < paceThousandths else { return }
    let divided = paceThousandths.dividingFullWidth((high + (carry ? 1 : 0), sum))
    players[index].remainder = divided.remainder
    players[index].time &+= divided.quotient
  }

  /// - Returns: the gap before the event that the player stands at.
  private mutating func schedule(_ index: Int) -> UInt64 {
    let before = players[index].time
    let source = players[index].source
    wait(index, source.blocks[players[index].block][players[index].position].gapNanoseconds)
    return players[index].time - before
  }

  /// The next event of any.
  mutating func next(_ guest: inout SyntheticGuest) {
    let index = heap[0]
    guest.advance(to: players[index].time)
    let event = players[index].source.blocks[players[index].block][players[index].position]
    perform(event, index, &guest)
    players[index].position += 1
    if players[index].position == players[index].source.blocks[players[index].block].count {
      choose(index)
    }
    _ = schedule(index)
    sink(0)
  }

  private mutating func sink(_ root: Int) {
    var parent = root
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { return }
      if child + 1 < heap.count, isEarlier(heap[child + 1], heap[child]) { child += 1 }
      guard isEarlier(heap[child], heap[parent]) else { return }
      heap.swapAt(child, parent)
      parent = child
    }
  }

  private func isEarlier(_ one: Int, _ other: Int) -> Bool {
    (players[one].time, one) < (players[other].time, other)
  }

  // MARK: Doing it

  private mutating func perform(
    _ event: SampledEvent, _ index: Int, _ guest: inout SyntheticGuest
  ) {
    let number = players[index].number
    switch event.action {
    case .access:
      let leaf = use(event, index, guest.pools[number][Int(event.pool)].count)
      guest.access(
        number, pool: Int(event.pool), leaf: leaf, offset: UInt64(event.offset),
        sizeBytes: event.sizeBytes, flags: EventFlags(rawValue: event.flags))
    case .unmap:
      let pool = Int(event.pool)
      let page = players[index].stacks[pool].element(at: Int(event.leaf))
      let large = Int(event.leaf) % guest.pools[number][pool].count
      if let leaf = players[index].source.pools[pool].isOfPages ? page : large {
        guest.unmap(number, pool: pool, leaf: leaf)
      }
    case .faultyAccess: guest.accessNowhere(number)
    case .faultyMessage: guest.interrupt(number, fault: .unmappedEvent)
    case .message:
      var times = latencies[players[index].random.below(latencies.count)]
      if event.offset > 0 { times = (UInt64(event.offset), UInt64(event.sizeBytes)) }
      guest.interrupt(
        number, vector(event, index, guest.vectorCounts[number]), latency: times.latency,
        handling: times.handling)
    case .move:
      let vector = vector(event, index, guest.vectorCounts[number])
      let vcpu = Int(guest.target(number, vector).number)
      if vcpuCount > 1 { guest.move(number, vector, to: (vcpu + 1) % vcpuCount) }
    case .load, .put, .block: live(event.action, number, &guest)
    }
  }

  private func vector(_ event: SampledEvent, _ index: Int, _ count: Int) -> Int {
    (Int(event.vector) + players[index].vectorBase) % count
  }

  /// The page that was used so many others ago. A new one where the recording had one; when all
  /// have been used, the one that was not for longest.
  private mutating func use(_ event: SampledEvent, _ index: Int, _ count: Int) -> Int {
    let pool = Int(event.pool)
    guard players[index].source.pools[pool].isOfPages else { return Int(event.leaf) % count }
    let used = players[index].stacks[pool].count
    let leaf =
      players[index].stacks[pool].element(at: Int(event.leaf))
      ?? (used < count ? used : players[index].stacks[pool].element(at: used - 1) ?? 0)
    players[index].stacks[pool].use(leaf)
    return leaf
  }

  /// A run may begin in the middle of a turn: what is so already stays so. Interrupts do not wait for the
  /// vCPU, since their recorded latencies hold that wait.
  private mutating func live(
    _ action: SampledEvent.Action, _ vcpu: Int, _ guest: inout SyntheticGuest
  ) {
    let isLoad = action == .load
    guard isLoaded[vcpu] != isLoad else { return }
    isLoaded[vcpu] = isLoad
    let kind: EventKind = isLoad ? .vcpuLoad : action == .put ? .vcpuPut : .vcpuBlock
    guest.emit(
      TraceEvent(
        time: 0, kind: kind, word3: pack(UInt32(vcpu), UInt32(vcpu)), target: .pe(UInt16(vcpu))))
  }
}
