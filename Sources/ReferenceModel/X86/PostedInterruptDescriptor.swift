// The posted-interrupt descriptor: 64 bytes in memory, one per vCPU (VT-d spec, §9.12).
//
//   PIR 255:0 · ON 256 · SN 257 · NV 279:272 · NDST 319:288 · the rest 0

/// A descriptor and the three parties that change it: the IOMMU, software, the CPU.
package struct PostedInterruptDescriptor: Hashable, Sendable {
  /// PIR: one request bit per vector, 64 in each word.
  package var requests: [UInt64] = [0, 0, 0, 0]
  package var outstandingNotification = false
  package var suppressNotification = false
  package var notificationVector: UInt8 = 0
  package var notificationDestination: UInt32 = 0
  package init() {}

  /// Linux's notification vectors: running, blocked (arch/x86/include/asm/irq_vectors.h).
  package static let runningVector: UInt8 = 0xF2
  package static let wakeUpVector: UInt8 = 0xF1

  package struct Notification: Hashable, Sendable {
    package var vector: UInt8
    package var destination: UInt32
  }

  package struct Post: Hashable, Sendable {
    /// The request bit was set already: one delivery will serve both.
    package var coalesced: Bool
    /// The notification interrupt that was sent, if any.
    package var notification: Notification?
    /// Why none was sent.
    package var suppressedBySN: Bool
    package var suppressedByON: Bool
  }

  package func isRequested(_ vector: UInt8) -> Bool {
    requests[Int(vector / 64)] >> UInt64(vector % 64) & 1 == 1
  }

  /// The IOMMU posts (VT-d spec, §5.2.3): PIR[vector] = 1; a notification is sent if ON = 0 and
  /// (URG = 1 or SN = 0), and sets ON.
  package mutating func postByHardware(vector: UInt8, urgent: Bool) -> Post {
    let coalesced = isRequested(vector)
    requests[Int(vector / 64)] |= 1 << UInt64(vector % 64)
    var post = Post(
      coalesced: coalesced, notification: nil, suppressedBySN: false, suppressedByON: false)
    if outstandingNotification {
      post.suppressedByON = true
    } else if suppressNotification && !urgent {
      post.suppressedBySN = true
    } else {
      outstandingNotification = true
      post.notification = Notification(
        vector: notificationVector, destination: notificationDestination)
    }
    return post
  }

  /// Software posts (Linux, arch/x86/kvm/vmx: deliver posted interrupt): stops at a set PIR bit,
  /// then at a set ON; it does not look at SN.
  package mutating func postBySoftware(vector: UInt8) -> Post {
    var post = Post(
      coalesced: isRequested(vector), notification: nil, suppressedBySN: false,
      suppressedByON: false)
    guard !post.coalesced else { return post }
    requests[Int(vector / 64)] |= 1 << UInt64(vector % 64)
    guard !outstandingNotification else {
      post.suppressedByON = true
      return post
    }
    outstandingNotification = true
    post.notification = Notification(
      vector: notificationVector, destination: notificationDestination)
    return post
  }

  /// The CPU takes the notification in guest mode: clears ON, moves PIR into vIRR, without an exit.
  /// Returns the vectors that became requested, in rising order.
  package mutating func processNotification() -> [UInt8] {
    outstandingNotification = false
    let vectors = (0...255).map { UInt8($0) }.filter(isRequested)
    requests = [0, 0, 0, 0]
    return vectors
  }

  // vCPU life (Linux, arch/x86/kvm/vmx/posted_intr.c): one compare-exchange each, whatever the
  // number of interrupt sources.

  package mutating func load(on destination: UInt32) {
    suppressNotification = false
    notificationVector = Self.runningVector
    notificationDestination = destination
    if requests.contains(where: { $0 != 0 }) { outstandingNotification = true }
  }

  package mutating func putPreempted() { suppressNotification = true }

  /// Returns whether the CPU must interrupt itself because a notification was outstanding.
  package mutating func putBlocking() -> Bool {
    notificationVector = Self.wakeUpVector
    suppressNotification = false
    return outstandingNotification
  }

  /// The 64 bytes as eight little-endian words.
  package var words: [UInt64] {
    let control =
      (outstandingNotification ? 1 : 0) | (suppressNotification ? 2 : 0)
      | UInt64(notificationVector) << 16 | UInt64(notificationDestination) << 32
    return requests + [control, 0, 0, 0]
  }

  package init(words: [UInt64]) {
    precondition(words.count == 8)
    requests = Array(words[0..<4])
    outstandingNotification = words[4] & 1 == 1
    suppressNotification = words[4] >> 1 & 1 == 1
    notificationVector = UInt8(truncatingIfNeeded: words[4] >> 16)
    notificationDestination = UInt32(truncatingIfNeeded: words[4] >> 32)
  }
}
