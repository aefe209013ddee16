/// One access under way, and the event records that it can give rise to.
struct Transaction {
  var streamID: UInt32
  var substreamID: UInt32?
  var address: UInt64
  var access: SMMUAccess

  func fault(_ number: SMMUEventRecord.Number) -> SMMUFault {
    var record = SMMUEventRecord(number, streamID: streamID, substreamID: substreamID)
    if number.hasInputAddress { record.inputAddress = address }
    if number.hasAttributes {
      record.read = !access.write
      record.privileged = access.privileged
      record.instruction = access.instruction
    }
    return SMMUFault(record)
  }

  /// A configuration structure could not be read.
  func fault(_ number: SMMUEventRecord.Number, fetching address: UInt64) -> SMMUFault {
    var fault = fault(number)
    fault.record.address = address
    return fault
  }

  /// Stage 1: CLASS is the input address for the four translation-related faults (§7.3.13).
  func stage1Fault(_ number: SMMUEventRecord.Number) -> SMMUFault {
    var fault = fault(number)
    fault.record.faultClass = .inputAddress
    return fault
  }

  /// Stage 2 on `ipa`, met while doing `faultClass`.
  func stage2Fault(
    _ number: SMMUEventRecord.Number, ipa: UInt64, _ faultClass: SMMUEventRecord.Class,
    descriptorRead: Bool = true
  ) -> SMMUFault {
    var fault = fault(number)
    fault.record.stage2 = true
    fault.record.faultClass = faultClass
    fault.record.address = ipa
    fault.record.descriptorRead =
      number == .permission && faultClass == .descriptor && descriptorRead
    return fault
  }

  /// A table descriptor could not be read or written (§7.3.12). For stage 1 alone CLASS is TT; a
  /// stage 2 walk reports what it walked for.
  func externalAbort(
    at address: UInt64, stage2: Bool, _ faultClass: SMMUEventRecord.Class
  ) -> SMMUFault {
    var fault = fault(.walkExternalAbort)
    fault.record.stage2 = stage2
    fault.record.faultClass = faultClass
    fault.record.address = address
    return fault
  }
}
