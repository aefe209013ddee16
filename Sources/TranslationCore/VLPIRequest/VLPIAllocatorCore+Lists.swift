// Two kinds of lists, both through the records themselves: the events of a vPE, and the vPEs that wait.

extension VLPIAllocatorCore {
  /// Appends a mapped event to the list of a vPE, which becomes its own.
  mutating func link(_ place: Int, _ vPE: UInt16) {
    // Safety: `place` is that of an event, `vPE` exists; links name such places.
    let record = unsafe vPEs + Int(vPE)
    let event = unsafe events + place
    let last = unsafe record.pointee.lastEvent
    unsafe event.pointee.vPE = vPE
    unsafe event.pointee.previous = last
    unsafe event.pointee.next = 0
    if last == 0 {
      unsafe record.pointee.firstEvent = UInt32(place + 1)
    } else {
      unsafe events[Int(last - 1)].next = UInt32(place + 1)
    }
    unsafe record.pointee.lastEvent = UInt32(place + 1)
    if unsafe event.pointee.eventfd != 0 { unsafe record.pointee.eventfds += 1 }
  }

  /// Takes an event out of the list of its vPE.
  mutating func unlink(_ place: Int) {
    // Safety: as `link`.
    let event = unsafe events[place]
    let record = unsafe vPEs + Int(event.vPE)
    if event.previous == 0 {
      unsafe record.pointee.firstEvent = event.next
    } else {
      unsafe events[Int(event.previous - 1)].next = event.next
    }
    if event.next == 0 {
      unsafe record.pointee.lastEvent = event.previous
    } else {
      unsafe events[Int(event.next - 1)].previous = event.previous
    }
    if event.eventfd != 0 { unsafe record.pointee.eventfds -= 1 }
  }

  /// A vPE waits as long as it has no vPEID and some event on an eventfd.
  mutating func updateWaiting(_ vPE: UInt16) {
    // Safety: `vPE` exists; links of the list name vPEs that exist.
    let record = unsafe vPEs + Int(vPE)
    let waits = unsafe record.pointee.vPEIDAndOne == 0 && record.pointee.eventfds > 0
    guard unsafe waits != record.pointee.isWaiting else { return }
    unsafe record.pointee.isWaiting = waits
    let link = UInt32(vPE) + 1
    if waits {
      unsafe record.pointee.previousWaiting = lastWaiting
      unsafe record.pointee.nextWaiting = 0
      if lastWaiting == 0 {
        firstWaiting = link
      } else {
        unsafe vPEs[Int(lastWaiting - 1)].nextWaiting = link
      }
      lastWaiting = link
      return
    }
    let (previous, next) = unsafe (record.pointee.previousWaiting, record.pointee.nextWaiting)
    if previous == 0 {
      firstWaiting = next
    } else {
      unsafe vPEs[Int(previous - 1)].nextWaiting = next
    }
    if next == 0 {
      lastWaiting = previous
    } else {
      unsafe vPEs[Int(next - 1)].previousWaiting = previous
    }
  }
}
