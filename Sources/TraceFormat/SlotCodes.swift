import EventModel

/// Numbers the slots, and gives each event its code of one byte.
///
/// The 256 busiest slots get the direct numbers 0…255, in the order of the table, and the others the
/// numbers from 256. An event of such a slot has code 0 and its number in the extended column.
struct SlotCodes {
  private(set) var codes: [UInt16] = []
  private(set) var extended: [UInt64] = []
  private var extendedPositions = Gaps()
  private var directPositions = Gaps()
  /// The number of each slot.
  private var numbers: [UInt32] = []
  /// How many slots have so many uses.
  private var slotsByUse: [Int] = []

  var extendedGaps: [UInt64] { extendedPositions.values }
  var directGaps: [UInt64] { directPositions.values }

  mutating func number(_ model: borrowing SlotModel) {
    let eventCount = model.eventCount
    chooseNumbers(model, eventCount: eventCount)
    extended.removeAll(keepingCapacity: true)
    extendedPositions.removeAll()
    if codes.count != eventCount { codes = [UInt16](repeating: 0, count: eventCount) }
    // Safety: the model has a number of a slot for each event; the pointers are used within the calls.
    let slotOfEvent = unsafe model.slotOfEvent
    unsafe numbers.withUnsafeBufferPointer { numbers in
      unsafe codes.withUnsafeMutableBufferPointer { codes in
        for position in 0..<eventCount {
          let number = unsafe numbers[Int(slotOfEvent[position])]
          let isDirect = number < EventPayloadHeader.directSlots
          unsafe codes[position] = isDirect ? UInt16(truncatingIfNeeded: number) : 0
          guard !isDirect else { continue }
          extended.append(UInt64(number))
          extendedPositions.append(position: position)
        }
      }
    }
  }

  private mutating func chooseNumbers(_ model: borrowing SlotModel, eventCount: Int) {
    let direct = EventPayloadHeader.directSlots
    let (least, room) = leastUse(model, eventCount: eventCount)
    var roomLeft = room
    directPositions.removeAll()
    numbers.removeAll(keepingCapacity: true)
    var (nextDirect, nextOther) = (0, direct)
    for slot in 0..<model.slotCount {
      // Safety: below the number of slots.
      let uses = unsafe Int(model.slots[slot].uses)
      if uses > least || uses == least && roomLeft > 0 {
        if uses == least { roomLeft -= 1 }
        numbers.append(UInt32(nextDirect))
        nextDirect += 1
        directPositions.append(position: slot)
      } else {
        numbers.append(UInt32(nextOther))
        nextOther += 1
      }
    }
  }

  /// Slots with more uses than `uses` have a direct number, and the first `room` of those with just as
  /// many.
  private mutating func leastUse(
    _ model: borrowing SlotModel, eventCount: Int
  ) -> (uses: Int, room: Int) {
    slotsByUse.removeAll(keepingCapacity: true)
    slotsByUse.append(contentsOf: repeatElement(0, count: eventCount + 1))
    // Safety: below the number of slots; no slot has more uses than there are events.
    var most = 0
    for slot in 0..<model.slotCount {
      let uses = unsafe Int(model.slots[slot].uses)
      slotsByUse[uses] += 1
      most = max(most, uses)
    }
    var room = EventPayloadHeader.directSlots
    for uses in stride(from: most, to: 0, by: -1) where slotsByUse[uses] > 0 {
      if slotsByUse[uses] >= room { return (uses, room) }
      room -= slotsByUse[uses]
    }
    return (0, 0)
  }
}
