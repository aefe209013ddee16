import Foundation
import Mustache
import Plots

// The page as one HTML file: style and pictures are in it, and nothing is fetched. It holds no script.

extension ReportPage {
  /// Every text goes through the template's escaping or through `Plots`': records are not trusted.
  package func html() throws -> String {
    func template(_ bytes: [UInt8]) throws -> MustacheTemplate {
      try MustacheTemplate(string: String(decoding: bytes, as: UTF8.self))
    }
    return try template(PackageResources.page_mustache).render(HTMLContext(self).values)
  }
}

/// The document as the template takes it: strings, and lists of such dictionaries.
private struct HTMLContext {
  typealias Values = [String: Any]
  private(set) var values: Values = [:]
  /// An id is unique in the page; what of a record's text is in one went through `Slug`.
  private var count = 0
  private var taken: Set<String> = []

  init(_ page: ReportPage) {
    values["kind"] = page.kind
    values["home"] = page.home
    values["title"] = page.title
    values["css"] = String(decoding: PackageResources.page_css, as: UTF8.self)
    values["lead"] = page.lead
    values["cautions"] = page.cautions
    values["hasCautions"] = !page.cautions.isEmpty
    let chapters = page.chapters.map { chapter($0) }
    values["chapters"] = chapters
    values["hasContents"] = !chapters.isEmpty
  }

  /// The anchor, if there is one and it is free; else a number that nothing links to from elsewhere.
  private mutating func id(_ prefix: String, _ anchor: String? = nil) -> String {
    if let anchor, taken.insert(anchor).inserted { return anchor }
    repeat { count += 1 } while !taken.insert("\(prefix)\(count)").inserted
    return "\(prefix)\(count)"
  }

  private mutating func chapter(_ chapter: ReportPage.Chapter) -> Values {
    [
      "id": id("c", chapter.anchor), "title": chapter.title,
      "facts": chapter.facts.map { ["name": $0.name, "value": $0.value] },
      "sections": chapter.sections.map { section($0) },
    ]
  }

  private mutating func section(_ section: PageSection) -> Values {
    [
      "id": id("s", section.anchor), "title": section.title, "lead": section.lead,
      "cautions": section.cautions,
      "hasCautions": !section.cautions.isEmpty, "hasFigures": !section.figures.isEmpty,
      "figures": section.figures.map { figure($0) },
      "tables": section.tables.map { tables($0) }, "hasTables": !section.tables.isEmpty,
      "hasCode": !section.code.isEmpty,
      "code": section.code.joined(separator: "\n"),
    ]
  }

  private mutating func figure(_ figure: PageSection.Figure) -> Values {
    let picture = figure.picture
    return [
      "id": id("g", figure.anchor), "title": picture.title, "note": figure.note,
      "svg": picture.svg(id: id("f")),
      "legend": picture.legend.map {
        [
          "name": $0.name,
          "style": "s\($0.style)" + ($0.isDashed ? " dashed" : "") + ($0.isArea ? " area" : ""),
        ]
      },
      "hasLegend": !picture.legend.isEmpty,
      "table": table(figure.table, picture.title),
    ]
  }

  private mutating func tables(_ section: ReportSection) -> Values {
    [
      "title": section.title,
      "parts": section.parts.map { part -> Values in
        switch part {
        case .table(let table): ["table": self.table(table, section.title)]
        case .remark(let text): ["remark": text]
        }
      },
    ]
  }

  private mutating func table(_ table: Table, _ title: String) -> String {
    TableHTML(table, title: title) { taken.insert($0).inserted ? $0 : nil }.text
  }
}
