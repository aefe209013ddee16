/// What the importer does with a line, decided by its event name alone.
enum LineAction: UInt8 {
  /// Counted as not understood.
  case unknown
  /// Counted, with the reason that stands in the catalogue.
  case ignore

  // SMMU: configuration, walks, translations.
  case configurationHit, configurationMiss, contextDescriptor, translationTable
  case tlbLookup, pageDescriptor, blockDescriptor, tlbInsert
  case translated, bypassed, aborted, recordedFault
  // SMMU: commands.
  case commandOpcode, commandQueueStep
  case invalidateStream, invalidateStreamRange, invalidateContext
  case invalidateASID, invalidateVMID, invalidateRange
  case smmuRegisterRead
  /// Events that the recorder dropped.
  case dropped
  // Memory-mapped registers and PCI.
  case registerWrite, pciConfigurationWrite, mappingAdded, mappingDeleted
  case msixControl, raisedVector
  // ITS.
  case translationWrite, deviceEntry, interruptEntry, collectionEntry, vPEEntry
  case itsRegisterRead, itsRegisterWrite, itsCommandFetched, itsCommand
  // Redistributor and CPU interface.
  case redistributorWrite
  case acknowledge, endOfInterrupt, guestAcknowledge, guestEndOfInterrupt
}
