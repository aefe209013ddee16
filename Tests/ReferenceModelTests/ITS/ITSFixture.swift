import EventModel
import ReferenceModel

/// A small machine: device 8 with 4 events, collection 0 on PE 1, collection 1 on PE 0.
func mappedITS(
  version: ITS.Version = .v4_0, policy: ITS.Policy = .specification.forRecordings(),
  twoLevel: Bool = false
) -> ITS {
  var its = ITS.provisioned(
    ITS.Configuration(version: version, peCount: 2), policy: policy, twoLevel: twoLevel)
  its.execute(.mapc(icid: 0, rdBase: 1, valid: true))
  its.execute(.mapc(icid: 1, rdBase: 0, valid: true))
  its.execute(.mapd(device, size: 1, ittAddress: 0x4000_0000, valid: true))
  return its
}

let device = DeviceID(8)
let vpt0: UInt64 = 0x4A2E_0000
let vpt1: UInt64 = 0x4A30_0000

/// `mappedITS` with vPE 0 on PE 0 and vPE 1 on PE 1, 16-bit vINTIDs. In GICv4.1 their default
/// doorbells are 8300 and 8301, and both share one configuration table.
func virtualITS(version: ITS.Version = .v4_0, policy: ITS.Policy = .specification.forRecordings())
  -> ITS
{
  var its = mappedITS(version: version, policy: policy)
  for (vPEID, vpt) in [(UInt16(0), vpt0), (1, vpt1)] {
    its.execute(
      .vmapp(
        .init(
          vPEID: vPEID, rdBase: UInt64(vPEID), vptSize: 15, vptAddress: vpt,
          allocate: version == .v4_1, pendingTableZero: version == .v4_1,
          configurationAddress: version == .v4_1 ? 0x4B00_0000 : 0,
          defaultDoorbell: INTID(version == .v4_1 ? 8300 + UInt32(vPEID) : 0))))
  }
  return its
}

extension ITS {
  @discardableResult
  mutating func raise(_ event: UInt32, device id: DeviceID = device) -> Outcome {
    translate(deviceID: id, eventID: EventID(event))
  }

  mutating func mapPhysical(_ event: UInt32, to intid: UInt32, icid: UInt16 = 0) {
    execute(.mapti(device, EventID(event), pINTID: INTID(intid), icid: icid))
  }

  mutating func mapVirtual(
    _ event: UInt32, to vINTID: UInt32, vPE: UInt16 = 0, doorbell: INTID = .spurious
  ) {
    execute(
      .vmapti(device, EventID(event), vPEID: vPE, vINTID: INTID(vINTID), doorbell: doorbell))
  }

  func isPending(_ target: InterruptTarget, _ intid: UInt32) -> Bool {
    pendingBits.contains(PendingBit(target: target, intid: INTID(intid)))
  }

  // GICR_VPENDBASER as a hypervisor writes it.
  mutating func load(vpt: UInt64, pe: UInt16, idBits: UInt64 = 16) {
    writeRedistributor(
      pe, offset: Redistributor.Register.vpropbaser, value: 0x4B00_0000 | (idBits - 1))
    writeRedistributor(
      pe, offset: Redistributor.Register.vpendbaser,
      value: VirtualPendingBase.residentVPT(vpt).value)
  }
  mutating func load(vPEID: UInt16, pe: UInt16) {
    writeRedistributor(
      pe, offset: Redistributor.Register.vpendbaser,
      value: VirtualPendingBase.resident(vPEID: vPEID).value)
  }
  /// - Returns: what GICR_VPENDBASER reads then.
  mutating func unload(pe: UInt16, doorbell: Bool = false, pendingLast: Bool = false)
    -> VirtualPendingBase
  {
    let request =
      (doorbell ? VirtualPendingBase.bit62 : 0)
      | (pendingLast ? VirtualPendingBase.pendingLastBit : 0)
    writeRedistributor(pe, offset: Redistributor.Register.vpendbaser, value: request)
    return VirtualPendingBase(
      readRedistributor(pe, offset: Redistributor.Register.vpendbaser))
  }
}
