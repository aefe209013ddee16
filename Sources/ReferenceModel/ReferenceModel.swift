// ReferenceModel: what the architecture says, written to be read.
//
// What it is. A slow, exact model of the machine between a device and a vCPU: the SMMU (`SMMU/`), the
// Interrupt Translation Service with its redistributors (`ITS/`), MSI-X (`MSIX/`), and the three
// together as a recorded machine (`ReferenceMachine`); beside it the two questions of the argument, how
// a message reaches its doorbell (`Doorbell/`) and how a guest gets a vLPI (`VLPIRequest/`). It is
// meant to be held next to the specifications: names are theirs, and sections are cited where a rule
// comes from. Everything else in this package that translates is proved equal to it, never the other
// way round.
//
//     IHI 0069   Arm Generic Interrupt Controller Architecture Specification, GICv3 and GICv4
//     IHI 0070   Arm System Memory Management Unit Architecture Specification, SMMUv3
//     DDI 0487   Arm Architecture Reference Manual (VMSAv8-64 translation tables)
//     PCI 3.0    PCI Local Bus Specification, revision 3.0, §6.8 (MSI-X)
//
// What it is not. It is not fast, and not a device model: no timing, no bus, no security states, no
// more than one ITS. It shows no fault to a guest; it returns it and counts it.
//
// Example. A device maps an event and raises it:
//
//     var its = ITS.provisioned(.init(peCount: 2))
//     its.execute(.mapc(icid: 0, rdBase: 1, valid: true))
//     its.execute(.mapd(DeviceID(8), size: 4, ittAddress: 0x4000_0000, valid: true))
//     its.execute(.mapti(DeviceID(8), EventID(3), pINTID: INTID(8195), icid: 0))
//     let outcome = its.translate(deviceID: DeviceID(8), eventID: EventID(3))
//     // lpisEnabledByDefault is off and no configuration byte was stored: .masked, on PE 1
//
// Invariants. State is values only: a copy is a snapshot, two copies never meet. Tables that the
// architecture puts in memory are in memory, as bytes. Bad input gives a typed error or a counted
// loss; there is no input that traps.
//
// Threads. None. A value belongs to whoever holds it.
