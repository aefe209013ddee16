import EventModel

/// The slot table's columns: word 1 only where it is not predicted, and the dictionary of shapes.
struct SlotTable {
  private(set) var word0: [UInt64] = []
  private(set) var stride0: [UInt64] = []
  private(set) var stride1: [UInt64] = []
  private(set) var shape: [UInt64] = []
  private(set) var word1: [UInt64] = []
  private(set) var shapes: [RecordShape] = []
  private var pages: [UInt64] = []
  /// Numbers of shapes by hash, or −1; at most half full.
  private var places: [Int32] = []

  mutating func make(_ model: borrowing SlotModel) {
    removeAll(keepingRoomFor: model.slotCount)
    for number in 0..<model.slotCount {
      // Safety: below the number of slots.
      let slot = unsafe model.slots[number]
      let origin = unsafe model.origins[number]
      word0.append(origin.word0)
      stride0.append(slot.stride0)
      stride1.append(slot.stride1)
      let page = PageMemory.index(origin.word0)
      var key = slot.shape
      if origin.word1 == 0 {
        key.word1Source = .zero
      } else {
        let mapped = pages[page] | (origin.word0 & PageMemory.offsetMask)
        key.word1Source = origin.word1 == mapped ? .mapped : .literal
        pages[page] = origin.word1 & ~PageMemory.offsetMask
      }
      if key.word1Source == .literal { word1.append(origin.word1) }
      shape.append(UInt64(self.number(of: key)))
    }
  }

  private mutating func removeAll(keepingRoomFor slots: Int) {
    word0.removeAll(keepingCapacity: true)
    stride0.removeAll(keepingCapacity: true)
    stride1.removeAll(keepingCapacity: true)
    shape.removeAll(keepingCapacity: true)
    word1.removeAll(keepingCapacity: true)
    shapes.removeAll(keepingCapacity: true)
    pages.removeAll(keepingCapacity: true)
    pages.append(contentsOf: repeatElement(0, count: PageMemory.entries))
    places.removeAll(keepingCapacity: true)
    places.append(
      contentsOf: repeatElement(-1, count: 1 << (65 - UInt64(slots).leadingZeroBitCount)))
  }

  private mutating func number(of key: RecordShape) -> Int32 {
    var hash = (key.word2 &* 0xC2B2_AE3D_27D4_EB4F) ^ (key.word3 &* 0x1656_67B1_9E37_79F9)
    hash ^= (key.tail ^ key.word1Source.rawValue) &* 0x9E37_79B9_7F4A_7C15
    hash = (hash ^ hash >> 32) &* 0xFF51_AFD7_ED55_8CCD
    let mask = places.count - 1
    var place = Int(truncatingIfNeeded: hash >> 32) & mask
    while places[place] >= 0, shapes[Int(places[place])] != key { place = (place + 1) & mask }
    if places[place] < 0 {
      places[place] = Int32(shapes.count)
      shapes.append(key)
    }
    return places[place]
  }
}
