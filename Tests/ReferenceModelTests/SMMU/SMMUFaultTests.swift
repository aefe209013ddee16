import EventModel
import ReferenceModel
import Testing

/// Each event, met on a real walk, with the fields of its record.
@Suite struct SMMUFaultTests {
  static let shape = SMMUFixture.Shape(granule: .kib4, inputBits: 40, startLevel: 0)
  static let lower = SMMUFixture.Shape(granule: .kib4, inputBits: 40, startLevel: 1)

  private func nested() -> SMMUFixture {
    var fixture = SMMUFixture(stage1: Self.shape, stage2: Self.lower)
    fixture.map(0x1000, 0x3000_0000)
    fixture.mapStage2(0x3000_0000, 0x9_0000_0000)
    return fixture
  }

  /// Checks the last access and that exactly this record stands in the queue.
  private func expect(
    _ fixture: inout SMMUFixture, _ result: SMMUResult, _ name: String,
    stage2: Bool = false, _ faultClass: SMMUEventRecord.Class = .cdFetch, address: UInt64 = 0,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(result.eventName == name, sourceLocation: sourceLocation)
    #expect(
      fixture.smmu.drainEvents() == [result.fault?.record].compactMap { $0 },
      sourceLocation: sourceLocation)
    #expect(result.fault?.record.stage2 == stage2, sourceLocation: sourceLocation)
    #expect(result.fault?.record.faultClass == faultClass, sourceLocation: sourceLocation)
    #expect(result.fault?.record.address == address, sourceLocation: sourceLocation)
    #expect(result.outcomeClass.isSMMUFault, sourceLocation: sourceLocation)
  }

  // MARK: Configuration

  @Test func unsupportedTransactionIsReported() {
    var fixture = SMMUFixture()
    let access = SMMUAccess(write: true, kind: .unsupported)
    let result = fixture.smmu.translate(streamID: 8, address: 0x40, access: access)
    expect(&fixture, result, "F_UUT")
    #expect(result.fault?.record.inputAddress == 0x40)
  }

  @Test func streamIDBeyondTheLinearTableIsBad() {
    var fixture = SMMUFixture()
    expect(&fixture, fixture.read(0, streamID: 256), "C_BAD_STREAMID")
    fixture.smmu.registers.recordsInvalidStreamIDs = false
    #expect(fixture.read(0, streamID: 256).eventName == "C_BAD_STREAMID")
    #expect(fixture.smmu.events.isEmpty, "CR2.RECINVSID = 0 suppresses the record")
  }

  /// Span 0, Span > SPLIT + 1, and an index beyond 2^(Span−1) (§7.3.3).
  @Test(arguments: [(0, 8), (10, 8), (4, 8), (1, 1)] as [(UInt8, UInt32)])
  func levelOneDescriptorThatDoesNotCoverTheStreamIsBad(span: UInt8, streamID: UInt32) {
    var fixture = SMMUFixture()
    fixture.smmu.registers.format = .twoLevel
    fixture.smmu.registers.log2Size = 16
    fixture.smmu.registers.streamTableBase = 0x1800_0000
    fixture.smmu.memory.store(
      StreamTableLevel1Descriptor(span: span, l2Ptr: SMMUFixture.streamTable).dword,
      at: 0x1800_0000)
    expect(&fixture, fixture.read(0, streamID: streamID), "C_BAD_STREAMID")
  }

  @Test func spanOfFourCoversEightStreams() {
    var fixture = SMMUFixture()
    fixture.map(0x1000, 0x5000)
    fixture.smmu.registers.format = .twoLevel
    fixture.smmu.registers.log2Size = 16
    fixture.smmu.registers.streamTableBase = 0x1800_0000
    // Streams 8…15 of the first leaf move to the front of theirs.
    fixture.smmu.memory.store(
      StreamTableLevel1Descriptor(span: 5, l2Ptr: SMMUFixture.streamTable).dword, at: 0x1800_0000)
    #expect(fixture.read(0x1000, streamID: 8).address == 0x5000)
    #expect(fixture.read(0x1000, streamID: 16).eventName == "C_BAD_STREAMID")
  }

  @Test func streamTableThatCannotBeReadIsAnSTEFetchFault() {
    var fixture = SMMUFixture()
    fixture.smmu.memory.inaccessible = [0x1000_0200..<0x1000_0240]
    expect(&fixture, fixture.read(0), "F_STE_FETCH", address: 0x1000_0200)
  }

  @Test func invalidEntryIsABadSTE() {
    var fixture = SMMUFixture()
    fixture.ste.v = false
    fixture.commit()
    expect(&fixture, fixture.read(0), "C_BAD_STE")
  }

  /// One field after the other made illegal (§5.2.2).
  @Test(
    arguments: [
      { $0.s1CDMax = 21 }, { $0.strw = 1 }, { $0.s1ContextPtr = 1 << 48 }, { $0.s2TG = 3 },
      { $0.s2SL0 = 3 }, { $0.s2T0SZ = 15 }, { $0.s2T0SZ = 40 }, { $0.s2AA64 = false },
      { $0.s2ENDI = true }, { $0.s2TTB = 1 << 48 }, { $0.eats = 2 },
      {
        $0.eats = 1
        $0.s2S = true
      },
    ] as [@Sendable (inout StreamTableEntry) -> Void])
  func illegalFieldMakesABadSTE(change: @Sendable (inout StreamTableEntry) -> Void) {
    var fixture = nested()
    #expect(fixture.read(0x1000).eventName == "translated")
    change(&fixture.ste)
    // STRW and split-stage ATS are judged with stage 1 alone.
    if fixture.ste.strw == 1 || fixture.ste.eats == 2 {
      fixture.ste.config = StreamTableEntry.stage1
    }
    fixture.commit()
    expect(&fixture, fixture.read(0x1000), "C_BAD_STE")
  }

  @Test func abortingEntryLeavesNoEvent() {
    for config: UInt8 in 0...3 {
      var fixture = SMMUFixture()
      fixture.ste.config = config
      fixture.commit()
      #expect(fixture.read(0).eventName == "aborted")
      #expect(fixture.smmu.events.isEmpty)
    }
  }

  @Test func bypassPassesWhatFits() {
    var fixture = SMMUFixture(stage1: nil)
    #expect(fixture.write(0xFFFF_F040).address == 0xFFFF_F040)
    expect(&fixture, fixture.write(1 << 48), "F_ADDR_SIZE", .inputAddress)
  }

  @Test func disabledSMMUPassesOrAborts() {
    var fixture = SMMUFixture()
    fixture.smmu.registers.isEnabled = false
    #expect(fixture.read(0x1234).address == 0x1234)
    #expect(fixture.read(1 << 48).eventName == "aborted")
    fixture.smmu.registers.abortsWhenDisabled = true
    #expect(fixture.read(0x1234).eventName == "aborted")
  }

  // MARK: ATS

  @Test func atsNeedsEATS() {
    var fixture = SMMUFixture()
    let request = SMMUAccess(write: false, kind: .atsRequest)
    let translated = SMMUAccess(write: true, kind: .atsTranslated)
    expect(
      &fixture, fixture.smmu.translate(streamID: 8, address: 0x1000, access: request),
      "F_BAD_ATS_TREQ")
    expect(
      &fixture, fixture.smmu.translate(streamID: 8, address: 0x1000, access: translated),
      "F_TRANSL_FORBIDDEN")
    fixture.ste.eats = 1
    fixture.commit()
    #expect(
      fixture.smmu.translate(streamID: 8, address: 0x7000, access: translated).address == 0x7000)
    let missing = fixture.smmu.translate(streamID: 8, address: 0x1000, access: request)
    #expect(missing.eventName == "F_TRANSLATION" && fixture.smmu.events.isEmpty)
  }

  @Test func splitStageATSLeavesStage2ToTheSMMU() {
    var fixture = nested()
    fixture.ste.eats = 2
    fixture.commit()
    let translated = SMMUAccess(write: true, kind: .atsTranslated)
    #expect(
      fixture.smmu.translate(streamID: 8, address: 0x3000_0040, access: translated).address
        == 0x9_0000_0040)
  }

  // MARK: Substreams

  /// S1CDMax, S1DSS and SubstreamID against what becomes of the access (§5.2 S1DSS, §7.3.7,
  /// §7.3.9).
  @Test(
    arguments: [
      (0, 0, nil, "translated"), (0, 0, 0, "C_BAD_SUBSTREAMID"), (0, 0, 1, "C_BAD_SUBSTREAMID"),
      (2, 0, nil, "F_STREAM_DISABLED"), (2, 0, 0, "translated"), (2, 0, 3, "translated"),
      (2, 0, 4, "C_BAD_SUBSTREAMID"), (2, 1, nil, "bypass"), (2, 1, 0, "translated"),
      (2, 2, nil, "translated"), (2, 2, 0, "F_STREAM_DISABLED"), (2, 2, 1, "translated"),
      (2, 3, nil, "F_STREAM_DISABLED"), (2, 3, 1, "translated"),
    ] as [(UInt8, UInt8, UInt32?, String)])
  func substreamSelection(s1CDMax: UInt8, s1DSS: UInt8, substreamID: UInt32?, outcome: String) {
    var fixture = SMMUFixture()
    fixture.map(0x1000, 0x5000)
    fixture.ste.s1CDMax = s1CDMax
    fixture.ste.s1DSS = s1DSS
    fixture.commit()
    for index: UInt64 in 1...3 {
      fixture.storeContext(fixture.cd, at: SMMUFixture.contextTable + index * 64)
    }
    let result = fixture.smmu.translate(
      streamID: 8, substreamID: substreamID, address: 0x1040, access: .read)
    #expect(result.eventName == (outcome == "bypass" ? "translated" : outcome))
    #expect(result.address == ["translated": 0x5040, "bypass": 0x1040][outcome])
  }

  @Test func substreamWithoutStage1IsBad() {
    var fixture = SMMUFixture(stage1: nil, stage2: Self.lower)
    let result = fixture.smmu.translate(
      streamID: 8, substreamID: 0, address: 0x1000, access: .read)
    expect(&fixture, result, "C_BAD_SUBSTREAMID")
  }

  @Test(arguments: [(1, 64), (2, 1024)] as [(UInt8, UInt32)])
  func missingLeafOfTheContextTableIsABadSubstream(format: UInt8, substreamID: UInt32) {
    var fixture = SMMUFixture()
    fixture.map(0x1000, 0x5000)
    fixture.ste.s1Fmt = format
    fixture.ste.s1CDMax = 12
    fixture.commit()
    fixture.smmu.memory.clear(SMMUFixture.contextTable, sizeBytes: 64)
    let level1 = ContextTableLevel1Descriptor(v: true, l2Ptr: 0x1102_0000)
    fixture.smmu.memory.store(level1.dword, at: SMMUFixture.contextTable)
    fixture.storeContext(fixture.cd, at: 0x1102_0000 + 5 * 64)
    let found = fixture.smmu.translate(
      streamID: 8, substreamID: 5, address: 0x1000, access: .read)
    #expect(found.address == 0x5000)
    #expect(found.work.level1ContextTableReads == 1 && found.work.cdReads == 1)
    let missing = fixture.smmu.translate(
      streamID: 8, substreamID: substreamID, address: 0x1000, access: .read)
    expect(&fixture, missing, "C_BAD_SUBSTREAMID")
  }

  // MARK: Context descriptor

  @Test func contextThatCannotBeReadIsACDFetchFault() {
    var fixture = SMMUFixture()
    fixture.smmu.memory.inaccessible = [SMMUFixture.contextTable..<SMMUFixture.contextTable + 64]
    expect(&fixture, fixture.read(0), "F_CD_FETCH", address: SMMUFixture.contextTable)
  }

  /// One field after the other made illegal (§5.4.2).
  @Test(
    arguments: [
      { $0.v = false }, { $0.aa64 = false }, { $0.t0SZ = 15 }, { $0.t0SZ = 40 }, { $0.tg0 = 3 },
      { $0.endi = true }, { $0.ttb0 = 1 << 48 },
      {
        $0.ips = 0
        $0.ttb0 = 1 << 32
      },
    ] as [@Sendable (inout ContextDescriptor) -> Void])
  func illegalFieldMakesABadCD(change: @Sendable (inout ContextDescriptor) -> Void) {
    var fixture = SMMUFixture()
    change(&fixture.cd)
    fixture.commit()
    expect(&fixture, fixture.read(0), "C_BAD_CD")
  }

  @Test func stallThatTheStreamForbidsMakesABadCD() {
    var fixture = SMMUFixture()
    fixture.cd.s = true
    fixture.ste.s1STALLD = true
    fixture.commit()
    expect(&fixture, fixture.read(0), "C_BAD_CD")
  }

  // MARK: Walks

  @Test func descriptorThatCannotBeReadIsAnExternalAbort() {
    var fixture = SMMUFixture()
    fixture.map(0x1000, 0x5000)
    let place = fixture.descriptorPlace(0x1000, level: 3)
    fixture.smmu.memory.inaccessible = [place..<place + 8]
    expect(&fixture, fixture.read(0x1000), "F_WALK_EABT", .descriptor, address: place)
  }

  @Test func stage2DescriptorThatCannotBeReadNamesWhatItWasFor() {
    var fixture = nested()
    // The leaf table of the final IPA only: index 0x180 of level 2 under the root.
    let root: UInt64 = fixture.smmu.memory.load(at: SMMUFixture.stage2Root)
    let place = root & 0xFFFF_FFFF_F000 + 0x180 * 8
    fixture.smmu.memory.inaccessible = [place..<place + 8]
    expect(
      &fixture, fixture.read(0x1000), "F_WALK_EABT", stage2: true, .inputAddress, address: place)
  }

  @Test func invalidDescriptorsAreTranslationFaults() {
    var fixture = SMMUFixture()
    expect(&fixture, fixture.read(0x1000), "F_TRANSLATION", .inputAddress)
    fixture.map(0x1000, 0x5000)
    let place = fixture.descriptorPlace(0x1000, level: 3)
    // 0b01 at level 3 is reserved.
    fixture.smmu.memory.store(0x5F45 as UInt64, at: place)
    expect(&fixture, fixture.read(0x1000), "F_TRANSLATION", .inputAddress)
    // A block at level 0 does not exist.
    fixture.smmu.memory.store(0xF45 as UInt64, at: SMMUFixture.stage1Root)
    expect(&fixture, fixture.read(0x1000), "F_TRANSLATION", .inputAddress)
  }

  @Test func addressesOutsideTheRegionAreTranslationFaults() {
    var fixture = SMMUFixture(
      stage1: .init(granule: .kib4, inputBits: 39, startLevel: 1))
    fixture.map((1 << 39) - 0x1000, 0x5000)
    #expect(fixture.read((1 << 39) - 0x1000).address == 0x5000)
    expect(&fixture, fixture.read(1 << 39), "F_TRANSLATION", .inputAddress)
    expect(&fixture, fixture.read(0xFFFF_FFFF_FFFF_F000), "F_TRANSLATION", .inputAddress)
    fixture.cd.epd0 = true
    fixture.commit()
    expect(&fixture, fixture.read((1 << 39) - 0x1000), "F_TRANSLATION", .inputAddress)
  }

  @Test func epd0CountsAsZeroAtEL2() {
    var fixture = SMMUFixture()
    fixture.map(0x1000, 0x5000)
    fixture.ste.strw = 2
    fixture.smmu.registers.e2h = false
    fixture.cd.epd0 = true
    fixture.commit()
    #expect(fixture.read(0x1000).address == 0x5000)
    // Elsewhere it leaves T0SZ unread; here a T0SZ out of range is C_BAD_CD.
    fixture.cd.t0SZ = 0
    fixture.commit()
    expect(&fixture, fixture.read(0x1000), "C_BAD_CD")
    fixture.smmu.registers.e2h = true
    fixture.commit()
    expect(&fixture, fixture.read(0x1000), "F_TRANSLATION", .inputAddress)
  }

  @Test func outputBeyondIPSIsAnAddressSizeFault() {
    var fixture = SMMUFixture()
    fixture.map(0x1000, 1 << 36)
    fixture.cd.ips = 1
    fixture.commit()
    expect(&fixture, fixture.read(0x1000), "F_ADDR_SIZE", .inputAddress)
    // So is a table beyond it, whatever it holds.
    fixture.smmu.memory.store(1 << 40 | 3 as UInt64, at: SMMUFixture.stage1Root)
    expect(&fixture, fixture.read(0x1000), "F_ADDR_SIZE", .inputAddress)
  }

  @Test func clearAccessFlagFaultsBeforePermission() {
    var fixture = SMMUFixture()
    fixture.map(0x1000, 0x5000, attributes: 0xB84)
    expect(&fixture, fixture.write(0x1000), "F_ACCESS", .inputAddress)
    fixture.cd.affd = true
    fixture.commit()
    expect(&fixture, fixture.write(0x1000), "F_PERMISSION", .inputAddress)
  }

  /// AP[2:1] against who asks for what: privileged or not, read or write.
  @Test(
    arguments: [(0b00, "rw", ""), (0b01, "rw", "rw"), (0b10, "r", ""), (0b11, "r", "r")]
      as [(UInt64, String, String)])
  func stage1Permissions(ap: UInt64, privileged: String, unprivileged: String) {
    var fixture = SMMUFixture()
    fixture.map(0x1000, 0x5000, attributes: 0xF04 | ap << 6)
    for (level, allowed) in [(true, privileged), (false, unprivileged)] {
      for (write, letter) in [(false, "r"), (true, "w")] as [(Bool, Character)] {
        let result = fixture.smmu.translate(
          streamID: 8, address: 0x1000, access: SMMUAccess(write: write, privileged: level))
        #expect(result.eventName == (allowed.contains(letter) ? "translated" : "F_PERMISSION"))
      }
    }
  }

  /// APTable 62:61 and UXNTable 60 take away; HAD0 ignores them.
  @Test func tableDescriptorsLimitWhatIsBelow() {
    var fixture = SMMUFixture()
    fixture.map(0x1000, 0x5000, tableBits: 1 << 62)
    expect(&fixture, fixture.write(0x1000), "F_PERMISSION", .inputAddress)
    #expect(fixture.read(0x1000).eventName == "translated")
    fixture.map(0x80_0000_0000, 0x6000, tableBits: 1 << 61)
    expect(&fixture, fixture.read(0x80_0000_0000), "F_PERMISSION", .inputAddress)
    fixture.map(0x100_0000_0000, 0x7000, tableBits: 1 << 60)
    let fetch = SMMUAccess(write: false, instruction: true)
    expect(
      &fixture, fixture.smmu.translate(streamID: 8, address: 0x100_0000_0000, access: fetch),
      "F_PERMISSION", .inputAddress)
    fixture.cd.had0 = true
    fixture.commit()
    #expect(fixture.write(0x1000).eventName == "translated")
    #expect(fixture.read(0x80_0000_0000).eventName == "translated")
  }

  @Test func executeNeverStopsInstructionFetches() {
    var fixture = SMMUFixture()
    fixture.map(0x1000, 0x5000, attributes: SMMUFixture.page | 1 << 54)
    let fetch = SMMUAccess(write: false, instruction: true)
    let result = fixture.smmu.translate(streamID: 8, address: 0x1000, access: fetch)
    expect(&fixture, result, "F_PERMISSION", .inputAddress)
    #expect(result.fault?.record.instruction == true)
    let privileged = SMMUAccess(write: false, privileged: true, instruction: true)
    #expect(
      fixture.smmu.translate(streamID: 8, address: 0x1000, access: privileged).eventName
        == "translated", "UXN is for unprivileged fetches, PXN for privileged ones")
  }

  // MARK: Stage 2

  @Test func stage2FaultsNameTheirClass() {
    // On the final address.
    var fixture = nested()
    fixture.map(0x2000, 0x3333_3000)
    expect(
      &fixture, fixture.read(0x2040), "F_TRANSLATION", stage2: true, .inputAddress,
      address: 0x3333_3040)
    // On a stage 1 descriptor.
    let place = fixture.descriptorPlace(0x2000, level: 3)
    fixture.mapStage2(place & ~0xFFF, 0, attributes: 0)
    fixture.smmu.memory.store(0 as UInt64, at: stage2Place(of: place, fixture))
    expect(
      &fixture, fixture.read(0x2000), "F_TRANSLATION", stage2: true, .descriptor, address: place)
    // On the CD.
    fixture.smmu.memory.store(
      0 as UInt64, at: stage2Place(of: SMMUFixture.contextTable, fixture))
    expect(
      &fixture, fixture.read(0x2000), "F_TRANSLATION", stage2: true, .cdFetch,
      address: SMMUFixture.contextTable)
  }

  /// The leaf descriptor of `ipa` in the three-level stage 2 of this suite.
  private func stage2Place(of ipa: UInt64, _ fixture: SMMUFixture) -> UInt64 {
    var table = SMMUFixture.stage2Root
    table = fixture.smmu.memory.load(UInt64.self, at: table + (ipa >> 30) * 8) & 0xFFFF_FFFF_F000
    table =
      fixture.smmu.memory.load(UInt64.self, at: table + (ipa >> 21 & 511) * 8) & 0xFFFF_FFFF_F000
    return table + (ipa >> 12 & 511) * 8
  }

  @Test func stage2OutputBeyondS2PSIsAnAddressSizeFault() {
    var fixture = nested()
    fixture.mapStage2(0x3000_0000, 1 << 44)
    fixture.ste.s2PS = 4
    fixture.commit()
    expect(
      &fixture, fixture.read(0x1000), "F_ADDR_SIZE", stage2: true, .inputAddress,
      address: 0x3000_0000)
  }

  @Test func stage2InputBeyondS2T0SZIsATranslationFault() {
    var fixture = nested()
    fixture.map(0x1000, 1 << 40)
    expect(
      &fixture, fixture.read(0x1000), "F_TRANSLATION", stage2: true, .inputAddress,
      address: 1 << 40)
  }

  @Test func stage2AccessFlagIsItsOwn() {
    var fixture = nested()
    fixture.mapStage2(0x3000_0000, 0x9_0000_0000, attributes: 0x3FC)
    expect(
      &fixture, fixture.read(0x1000), "F_ACCESS", stage2: true, .inputAddress,
      address: 0x3000_0000)
    fixture.ste.s2AFFD = true
    fixture.commit()
    #expect(fixture.read(0x1000).address == 0x9_0000_0000)
  }

  @Test(arguments: [(0b00, ""), (0b01, "r"), (0b10, "w"), (0b11, "rw")] as [(UInt64, String)])
  func stage2Permissions(s2ap: UInt64, allowed: String) {
    var fixture = nested()
    fixture.mapStage2(0x3000_0000, 0x9_0000_0000, attributes: 0x73C | s2ap << 6)
    for (write, letter) in [(false, "r"), (true, "w")] as [(Bool, Character)] {
      let result = write ? fixture.write(0x1008) : fixture.read(0x1008)
      if allowed.contains(letter) {
        #expect(result.address == 0x9_0000_0008)
      } else {
        expect(
          &fixture, result, "F_PERMISSION", stage2: true, .inputAddress, address: 0x3000_0008)
      }
    }
  }

  /// S2PTW: no CD and no table of the guest in Device memory.
  @Test func protectedTableWalkRefusesDeviceMemory() {
    var fixture = nested()
    fixture.ste.s2PTW = true
    fixture.commit()
    #expect(fixture.read(0x1000).eventName == "translated")
    let place = fixture.descriptorPlace(0x1000, level: 3)
    fixture.mapStage2(
      place & ~0xFFF, (place & ~0xFFF) + SMMUFixture.hostOffset, attributes: 0x4C4)
    let result = fixture.read(0x1000)
    expect(&fixture, result, "F_PERMISSION", stage2: true, .descriptor, address: place)
    #expect(result.fault?.record.descriptorRead == true)
    // The same page as plain data is fine.
    fixture.map(0x5000, place & ~0xFFF)
    fixture.ste.s2PTW = false
    fixture.commit()
    #expect(fixture.read(0x1000).eventName == "translated")
  }

  @Test func conflictingTLBEntriesAreReportedIfAsked() {
    var fixture = SMMUFixture(caches: .all)
    fixture.smmu.caches.reportsConflicts = true
    fixture.map(0x20_0000, 0x5000)
    #expect(fixture.read(0x20_0000).address == 0x5000)
    // Break-before-make neglected: the table becomes a block without invalidation, and another
    // page of it brings the block in.
    fixture.map(0x20_0000, 0x4000_0000, level: 2)
    fixture.smmu.caches.enabled.remove(.stage1Walk)
    #expect(fixture.read(0x20_1000).address == 0x4000_1000)
    expect(&fixture, fixture.read(0x20_0000), "F_TLB_CONFLICT", .inputAddress)
    fixture.smmu.caches.reportsConflicts = false
    #expect(fixture.read(0x20_0000).address == 0x5000, "the smallest entry answers")
  }
}
