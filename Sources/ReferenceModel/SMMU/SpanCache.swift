/// A value that answers for a range of addresses.
package protocol AddressSpanning: Sendable {
  /// The addresses that the value answers, a power of two and aligned to it.
  var coverage: AddressSpan { get }
  /// The addresses whose invalidation removes it: the coverage or more.
  var reach: AddressSpan { get }
}

package struct AddressSpan: Hashable, Sendable {
  package var base: UInt64
  package var log2: UInt8

  /// The aligned span of 2^log2 bytes around `address`.
  package init(around address: UInt64, log2: UInt8) {
    self.log2 = log2
    base = log2 >= 64 ? 0 : address & ~((1 << UInt64(log2)) - 1)
  }

  package var page: UInt64 { log2 >= 64 ? 0 : base >> log2 }
  package var last: UInt64 { log2 >= 64 ? .max : base + (1 << log2 - 1) }
  package func contains(_ address: UInt64) -> Bool { address >= base && address <= last }
}

/// An unlimited cache over address ranges: TLBs and walk caches are made of it.
///
/// Entries are filed by tag, then by the size of their reach, then by its page number, so that a
/// lookup asks once per size in use and an invalidation by address touches what it removes.
/// Capacity and replacement are not modelled: an entry stays until it is invalidated.
package struct SpanCache<Tag: Hashable & Sendable, Value: AddressSpanning & Hashable>: Sendable {
  private var spaces: [Tag: [UInt8: [UInt64: Set<Value>]]] = [:]

  package init() {}

  package var count: Int {
    spaces.values.reduce(0) {
      $0 + $1.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.count } }
    }
  }

  package var isEmpty: Bool { count == 0 }

  package var entries: [(tag: Tag, value: Value)] {
    spaces.flatMap { tag, sizes in
      sizes.values.flatMap { $0.values.flatMap { $0 } }.map { (tag, $0) }
    }
  }

  /// Everything filed under `tag` that answers for `address`, smallest coverage first. More than
  /// one is a conflict that software made.
  package func lookup(_ tag: Tag, _ address: UInt64) -> [Value] {
    guard let sizes = spaces[tag] else { return [] }
    var found: [Value] = []
    for (log2, pages) in sizes {
      let page = AddressSpan(around: address, log2: log2).page
      for value in pages[page] ?? [] where value.coverage.contains(address) { found.append(value) }
    }
    return found.count > 1 ? found.sorted { $0.coverage.log2 < $1.coverage.log2 } : found
  }

  /// Replaces an entry of the same coverage.
  package mutating func insert(_ tag: Tag, _ value: Value) {
    let reach = value.reach
    let bucket = spaces[tag]?[reach.log2]?[reach.page] ?? []
    spaces[tag, default: [:]][reach.log2, default: [:]][reach.page] =
      bucket.filter { $0.coverage != value.coverage }.union([value])
  }

  package mutating func remove(where matches: (Tag) -> Bool) {
    for tag in spaces.keys where matches(tag) { spaces[tag] = nil }
  }

  /// Removes what reaches into `first…last` and satisfies both conditions.
  package mutating func remove(
    first: UInt64, last: UInt64, where matchesTag: (Tag) -> Bool, and matches: (Value) -> Bool
  ) {
    for tag in spaces.keys where matchesTag(tag) {
      for log2 in spaces[tag]!.keys {
        let pages =
          AddressSpan(around: first, log2: log2).page...AddressSpan(around: last, log2: log2).page
        let present = spaces[tag]![log2]!
        let candidates =
          pages.upperBound - pages.lowerBound < UInt64(present.count)
          ? Array(pages) : present.keys.filter { pages.contains($0) }
        for page in candidates {
          guard let bucket = present[page] else { continue }
          let kept = bucket.filter { !matches($0) }
          spaces[tag]![log2]![page] = kept.isEmpty ? nil : kept
        }
      }
    }
  }
}
