import Foundation
import Testing

@testable import Reports

/// What the style sheet promises to people who see less.
@Suite struct PageStyleTests {
  private let css = String(decoding: PackageResources.page_css, as: UTF8.self)

  /// `--name: #rrggbb` of each `:root`, in order: light, dark, paper.
  private var schemes: [[String: String]] {
    css.components(separatedBy: ":root {").dropFirst().map { block in
      let lines = block.components(separatedBy: "}")[0].split(separator: ";")
      return Dictionary(
        uniqueKeysWithValues: lines.compactMap { line in
          let pair = line.split(separator: ":").map {
            $0.trimmingCharacters(in: .whitespacesAndNewlines)
          }
          return pair.count == 2 ? (String(pair[0].dropFirst(2)), pair[1]) : nil
        })
    }
  }

  /// WCAG 2.2, relative luminance and contrast ratio.
  private func luminance(_ color: String) throws -> Double {
    let value = try #require(UInt32(color.dropFirst(), radix: 16), "\(color)")
    let parts = [16, 8, 0].map { shift -> Double in
      let part = Double(value >> UInt32(shift) & 0xFF) / 255
      return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
  }

  private func contrast(_ a: String, _ b: String) throws -> Double {
    let (first, second) = (try luminance(a), try luminance(b))
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)
  }

  @Test func everyTextAndCurveHasContrastEnough() throws {
    #expect(schemes.count == 3)
    let pairs =
      [
        ("text", "ground"), ("text", "card"), ("text", "zone"), ("quiet", "ground"),
        ("quiet", "card"), ("link", "ground"), ("link", "card"), ("caution", "caution-ground"),
      ] + (0..<8).map { ("s\($0)", "card") }
    for (index, scheme) in schemes.enumerated() {
      for (front, back) in pairs {
        let ratio = try contrast(try #require(scheme[front]), try #require(scheme[back]))
        #expect(ratio >= 4.5, "scheme \(index): \(front) on \(back): \(ratio)")
      }
    }
  }

  @Test func luminanceIsThatOfTheStandard() throws {
    #expect(abs(try contrast("#000000", "#ffffff") - 21) < 1e-9)
    #expect(abs(try contrast("#777777", "#ffffff") - 4.48) < 0.005)
  }
}
