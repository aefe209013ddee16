import EventModel
import Measurement
import TranslationCore

/// The walks that the argument is about, each with the place in Linux that it stands for.
package struct SlowPaths: Sendable {
  var lengths: [Int]
  var runs: Int
  /// Nodes visited per measured point, so that short lists are not lost in the clock.
  var work: Int

  package static let real = SlowPaths(
    lengths: [0, 1, 10, 100, 1_000, 10_000], runs: 7, work: 400_000)
  static let smoke = SlowPaths(lengths: [0, 1, 10], runs: 1, work: 100)

  private func lookups(_ length: Int) -> Int { max(1, min(20_000, work / max(1, length))) }

  /// Any bits, but never 0.
  private static func tokens(
    _ count: Int, _ random: inout some RandomNumberGenerator
  ) -> [UInt64] {
    (0..<count).map { _ in .random(in: 1...UInt64.max, using: &random) }
  }

  /// virt/lib/irqbypass.c: a producer looks for the consumer with its token, and finds none; a list until
  /// mid-2025, an xarray since.
  func bypass() -> Curve {
    var random = SplitMix64(seed: 1)
    var curve = Curve(
      name: "irqbypass: producer against n consumers, no match", unit: "ns/register")
    for length in lengths {
      let tokens = Self.tokens(length, &random)
      let asked = Self.tokens(lookups(length), &random)
      var list = TokenList(capacity: length, random: &random)
      var map = TokenMap(capacity: length)
      for token in tokens {
        list.append(token)
        map.insert(token)
      }
      var found = 0
      let walk = leastNanoseconds(runs: runs, operations: asked.count) {
        for token in asked where list.contains(token) { found += 1 }
      }
      let mapped = leastNanoseconds(runs: runs, operations: asked.count) {
        for token in asked where map.contains(token) { found += 1 }
      }
      precondition(found == 0, "a random token was found")
      curve.points.append(.init(length: length, walk: walk, map: mapped))
    }
    return curve
  }

  /// virt/kvm/eventfd.c, kvm_irqfd_assign: each new irqfd is held against all that exist, so n assigns
  /// make n² / 2 comparisons. Making the empty list and map is in the figure.
  func irqfd() -> Curve {
    var random = SplitMix64(seed: 2)
    var curve = Curve(name: "irqfd: assigning n eventfds, total", unit: "ns for all n")
    for length in lengths {
      let tokens = Self.tokens(length, &random)
      var found = 0
      let rounds = length >= 1_000 ? 1 : runs
      let walk = leastNanoseconds(runs: rounds, operations: 1) {
        var list = TokenList(capacity: length, random: &random)
        for token in tokens {
          if list.contains(token) { found += 1 }
          list.append(token)
        }
      }
      let mapped = leastNanoseconds(runs: rounds, operations: 1) {
        var map = TokenMap(capacity: length)
        for token in tokens {
          if map.contains(token) { found += 1 }
          map.insert(token)
        }
      }
      precondition(found == 0, "a random token came twice")
      curve.points.append(.init(length: length, walk: walk, map: mapped))
    }
    return curve
  }

  /// arch/arm64/kvm/vgic/vgic-its.c, find_its_device and find_ite: what a miss of the translation cache
  /// walks, on the virtual ITS itself; the map is its translation cache. The last of n is asked for.
  func virtualITS(events: Bool) -> Curve {
    var curve = Curve(
      name: "virtual ITS: cache miss, the last of n \(events ? "events" : "devices")",
      unit: "ns/injection")
    for length in lengths where length > 0 {
      var its = VirtualITS(geometry: TableGeometry())
      its.mapCollection(0, target: .pe(0), isValid: true)
      let last = UInt32(length - 1)
      for index in 0..<UInt32(length) where !events || index == 0 {
        its.mapDevice(index, log2Events: 16, isValid: true)
      }
      for index in 0..<(events ? UInt32(length) : 0) {
        its.mapEvent(0, index, intid: 8192 + index, collection: 0)
      }
      if !events { its.mapEvent(last, 0, intid: 8192, collection: 0) }
      let device = events ? 0 : last
      let event = events ? last : 0
      let count = lookups(length)
      let walk = leastNanoseconds(runs: runs, operations: count) {
        for _ in 0..<count { _ = its.injectUncached(deviceID: device, eventID: event) }
      }
      let hits = lookups(1)
      let mapped = leastNanoseconds(runs: runs, operations: hits) {
        for _ in 0..<hits { _ = its.inject(deviceID: device, eventID: event) }
      }
      precondition(its.cacheMisses > 0 && its.cacheHits > 0)
      curve.points.append(.init(length: length, walk: walk, map: mapped))
    }
    return curve
  }

  /// drivers/iommu: at attach, each of n reserved regions is held against a range; the other way is a
  /// binary search in the sorted regions. No region overlaps.
  func reservedRegions() -> Curve {
    var curve = Curve(
      name: "reserved regions: one range against n; the map is a binary search", unit: "ns/attach")
    for length in lengths {
      let starts = (0..<UInt64(length)).map { $0 << 20 }
      let range = (UInt64(length) << 20, UInt64(length) << 20 + 0xFFFF)
      let count = lookups(length)
      var overlaps = 0
      let walk = leastNanoseconds(runs: runs, operations: count) {
        for _ in 0..<count {
          for start in starts where start <= range.1 && range.0 <= start + 0xFFFF { overlaps += 1 }
        }
      }
      let mapped = leastNanoseconds(runs: runs, operations: count) {
        for _ in 0..<count {
          var low = 0
          var high = starts.count
          while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= range.1 { low = middle + 1 } else { high = middle }
          }
          if low > 0 && range.0 <= starts[low - 1] + 0xFFFF { overlaps += 1 }
        }
      }
      precondition(overlaps == 0)
      curve.points.append(.init(length: length, walk: walk, map: mapped))
    }
    return curve
  }

  package func all() -> [Curve] {
    [bypass(), irqfd(), virtualITS(events: false), virtualITS(events: true), reservedRegions()]
  }
}
