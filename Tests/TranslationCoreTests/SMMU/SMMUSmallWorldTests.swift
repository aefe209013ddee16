import EventModel
import Testing

@testable import TranslationCore

/// Every program of four steps over three pages and two targets, with caches of one to eight
/// entries, against a dictionary.
@Suite struct SMMUSmallWorldTests {
  enum Step: CaseIterable {
    case use0, use1, use2, map0a, map0b, map1a, map2b, unmap0, unmap1, invalidateSpace, reconfigure
  }

  @Test(arguments: [1, 2, 4, 8], [1, 2])
  func everyShortProgramGivesWhatADictionaryGives(_ entries: Int, _ ways: Int) {
    var programs = 0
    for first in Step.allCases {
      for second in Step.allCases {
        for third in Step.allCases {
          let program = [Step.map1a, first, .use0, second, .use1, third, .use0, .use1, .use2]
          #expect(run(program, entries, ways) == nil, "\(program)")
          programs += 1
        }
      }
    }
    #expect(programs == 1331)
  }

  private func run(_ program: [Step], _ entries: Int, _ ways: Int) -> String? {
    var options = SMMUOptions()
    options.nested = false
    options.tlbEntries = entries
    options.tlbWays = ways
    options.walkCacheEntries = entries
    options.arenaLimitBytes = 1 << 20
    options.addressSpaceLimit = 8
    var geometry = TableGeometry()
    geometry.streamIDBits = 4
    var smmu = SMMUCore(geometry: geometry, options: options)
    smmu.configureStream(SMMUWorld.stream(3))
    var model: [UInt64: UInt64] = [:]
    for (index, step) in program.enumerated() {
      switch step {
      case .use0, .use1, .use2:
        let page: UInt64 = step == .use0 ? 0 : step == .use1 ? 1 : 2
        let answer = smmu.read(3, page << 12 | 8)
        let expected = model[page].map { SMMUTranslation(address: $0 | 8) }
        if answer != expected ?? .faulted(SMMUEvent.translation) {
          return "step \(index): \(answer), expected \(String(describing: expected))"
        }
      case .map0a: map(0, 0xA000, &smmu, &model)
      case .map0b: map(0, 0xB000, &smmu, &model)
      case .map1a: map(1, 0xA000, &smmu, &model)
      case .map2b: map(2, 0xB000, &smmu, &model)
      case .unmap0: unmap(0, &smmu, &model)
      case .unmap1: unmap(1, &smmu, &model)
      case .invalidateSpace: smmu.command(SMMUCommandWord.invalidateASID(1))
      case .reconfigure: smmu.command(SMMUCommandWord.configuration(3))
      }
    }
    return nil
  }

  private func map(
    _ page: UInt64, _ output: UInt64, _ smmu: inout SMMUCore, _ model: inout [UInt64: UInt64]
  ) {
    unmap(page, &smmu, &model)
    smmu.map(SMMUWorld.page(page << 12, to: output))
    model[page] = output
  }

  private func unmap(
    _ page: UInt64, _ smmu: inout SMMUCore, _ model: inout [UInt64: UInt64]
  ) {
    smmu.unmap(SMMUWorld.unmap(page << 12))
    smmu.command(SMMUCommandWord.invalidateVA(page << 12))
    model[page] = nil
  }
}
