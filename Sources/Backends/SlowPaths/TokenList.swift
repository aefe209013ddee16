/// A kernel's linked list: nodes of one cache line each, in the order of insertion, scattered over memory
/// as allocations over time are. Every lookup starts at the head.
struct TokenList {
  private struct Node {
    var token: UInt64
    var next: UInt32
    // The rest of the object that the list links: a node is met with one line's load.
    var payload: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
  }
  private static let none = UInt32.max
  private var nodes: [Node]
  private var head = TokenList.none
  private var tail = TokenList.none
  private var free: [UInt32]

  init(capacity: Int, random: inout some RandomNumberGenerator) {
    nodes = Array(repeating: Node(token: 0, next: Self.none), count: capacity)
    free = (0..<UInt32(capacity)).shuffled(using: &random)
  }

  mutating func append(_ token: UInt64) {
    guard let node = free.popLast() else { preconditionFailure("more tokens than capacity") }
    nodes[Int(node)].token = token
    nodes[Int(node)].next = Self.none
    if tail == Self.none { head = node } else { nodes[Int(tail)].next = node }
    tail = node
  }

  @inline(never)
  func contains(_ token: UInt64) -> Bool {
    var node = head
    while node != Self.none {
      if nodes[Int(node)].token == token { return true }
      node = nodes[Int(node)].next
    }
    return false
  }
}

/// The map beside it: open addressing, linear probing, at most half full. Never holds 0.
struct TokenMap {
  private var slots: [UInt64]
  private let mask: Int

  init(capacity: Int) {
    var size = 8
    while size < capacity * 2 { size *= 2 }
    slots = Array(repeating: 0, count: size)
    mask = size - 1
  }

  private func start(_ token: UInt64) -> Int {
    Int(truncatingIfNeeded: token &* 0x9E37_79B9_7F4A_7C15 &>> 32) & mask
  }

  mutating func insert(_ token: UInt64) {
    var index = start(token)
    while slots[index] != 0 && slots[index] != token { index = (index + 1) & mask }
    slots[index] = token
  }

  @inline(never)
  func contains(_ token: UInt64) -> Bool {
    var index = start(token)
    while slots[index] != 0 {
      if slots[index] == token { return true }
      index = (index + 1) & mask
    }
    return false
  }
}
