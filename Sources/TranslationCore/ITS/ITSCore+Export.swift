package import EventModel

// Tables and pending bits for a comparison with the reference model.

extension ITSCore {
  /// The doorbell of a mapped virtual event.
  package func doorbell(_ device: UInt32, _ event: UInt32) -> UInt32? {
    guard let (index, entry) = try? mappedEntry(device, event), entry.isVirtual else { return nil }
    // Safety: `mappedEntry` gives an index within the device's ITT.
    return unsafe doorbells[index]
  }

  /// The processor of a mapped collection.
  package func collection(_ icid: UInt16) -> UInt16? {
    (try? processor(ofCollection: icid)).map { UInt16($0) }
  }

  /// What VMAPP and VMOVP made of a mapped vPE.
  package func vPE(_ vPE: UInt16) -> (
    processor: UInt16, vptAddress: UInt64, log2INTIDs: UInt32, defaultDoorbell: UInt32,
    isArmed: Bool, isResident: Bool
  )? {
    guard UInt32(vPE) < vPECount, isMapped(vPE: vPE) else { return nil }
    let record = vPERecord(vPE)
    return (
      record.processor, record.vptAddress, record.log2INTIDs, record.defaultDoorbell,
      record.isArmed, vPEPlace(vPE).isTaking
    )
  }

  /// Whether an interrupt is pending at a PE or at a mapped vPE.
  package func isPending(_ target: InterruptTarget, _ intid: UInt32) -> Bool {
    guard isLPI(intid) else { return false }
    if !target.isVPE {
      return target.number < redistributors.count
        && pending.isPending(at: place(intid, ofPE: Int(target.number)))
    }
    guard let plane = try? plane(ofVPE: target.number) else { return false }
    return pending.isPending(at: pending.place(intid, inPlane: plane))
  }

  /// A redistributor's pending table as GICR_PENDBASER would show it.
  package func pendingTable(ofPE pe: UInt16) -> [UInt8] {
    pending.exportBits(plane: plane(ofPE: Int(pe)))
  }

  /// A mapped vPE's virtual pending table, as long as VPT_size says.
  package func pendingTable(ofVPE vPE: UInt16) -> [UInt8]? {
    guard let plane = try? plane(ofVPE: vPE) else { return nil }
    var table = pending.exportBits(plane: plane)
    // Safety: one for each plane.
    unsafe virtualSGIs[plane].store(into: &table)
    return Array(table.prefix((1 << Int(log2INTIDs(ofVPE: vPE))) / 8))
  }
}
