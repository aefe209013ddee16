/// An MSI as the ITS sees it: who wrote, and what.
@frozen
@usableFromInline
package struct ITSRequest: BitwiseCopyable {
  @usableFromInline package var deviceID: UInt32
  @usableFromInline package var eventID: UInt32

  @inlinable
  package init(deviceID: UInt32, eventID: UInt32) {
    self.deviceID = deviceID
    self.eventID = eventID
  }
}
