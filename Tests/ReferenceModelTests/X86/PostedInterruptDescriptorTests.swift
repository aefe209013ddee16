import ReferenceModel
import Testing

@Suite struct PostedInterruptDescriptorTests {
  /// VT-d spec §5.2.3, the whole truth table of (ON, SN, URG).
  @Test func hardwareNotifiesIfNotOutstandingAndNotSuppressed() {
    for outstanding in [false, true] {
      for suppressed in [false, true] {
        for urgent in [false, true] {
          var descriptor = PostedInterruptDescriptor()
          descriptor.outstandingNotification = outstanding
          descriptor.suppressNotification = suppressed
          let post = descriptor.postByHardware(vector: 200, urgent: urgent)
          #expect((post.notification != nil) == (!outstanding && (urgent || !suppressed)))
          #expect(descriptor.isRequested(200))
          #expect(
            descriptor.outstandingNotification == (outstanding || post.notification != nil))
        }
      }
    }
  }

  @Test func softwareIgnoresSuppression() {
    var descriptor = PostedInterruptDescriptor()
    descriptor.suppressNotification = true
    let posts = [UInt8(3), 3, 4].map { descriptor.postBySoftware(vector: $0) }
    #expect(posts[0].notification != nil)
    #expect(posts[1].coalesced)
    #expect(posts[2].suppressedByON)
  }

  @Test func theSixtyFourBytesAreThoseOfTheSpecification() {
    var descriptor = PostedInterruptDescriptor()
    descriptor.load(on: 0x1_0203)
    _ = descriptor.postByHardware(vector: 65, urgent: false)
    #expect(descriptor.words == [0, 2, 0, 0, 0x0001_0203_00F2_0001, 0, 0, 0])
    #expect(PostedInterruptDescriptor(words: descriptor.words) == descriptor)
  }

  @Test func aPreemptedVCPUAccumulatesSilentlyAndLoadNotifies() {
    var descriptor = PostedInterruptDescriptor()
    descriptor.load(on: 1)
    descriptor.putPreempted()
    for vector in [UInt8(10), 10, 11] {
      let post = descriptor.postByHardware(vector: vector, urgent: false)
      #expect(post.notification == nil)
    }
    #expect(!descriptor.outstandingNotification)
    descriptor.load(on: 2)
    #expect(descriptor.outstandingNotification)
    let taken = descriptor.processNotification()
    #expect(taken == [10, 11])
  }

  @Test func aBlockingVCPUIsWokenByTheOtherVector() {
    var descriptor = PostedInterruptDescriptor()
    descriptor.load(on: 1)
    let quiet = descriptor.putBlocking()
    #expect(!quiet)
    let post = descriptor.postByHardware(vector: 1, urgent: false)
    #expect(post.notification?.vector == PostedInterruptDescriptor.wakeUpVector)
    let mustInterruptItself = descriptor.putBlocking()
    #expect(mustInterruptItself, "a notification is outstanding")
  }
}
