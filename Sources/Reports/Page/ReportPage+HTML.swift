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
    let library = MustacheLibrary(templates: [
      "page": try template(PackageResources.page_mustache),
      "table": try template(PackageResources.table_mustache),
    ])
    return library.render(HTMLContext(self).values, withTemplate: "page") ?? ""
  }
}

/// The document as the template takes it: strings, and lists of such dictionaries.
private struct HTMLContext {
  typealias Values = [String: Any]
  private(set) var values: Values = [:]
  /// Counts up: an id is unique in the page, and none is made of a record's text.
  private var count = 0

  init(_ page: ReportPage) {
    values["title"] = page.title
    values["css"] = String(decoding: PackageResources.page_css, as: UTF8.self)
    values["lead"] = page.lead
    values["cautions"] = page.cautions
    values["hasCautions"] = !page.cautions.isEmpty
    let chapters = page.chapters.map { chapter($0) }
    values["chapters"] = chapters
    values["hasContents"] = !chapters.isEmpty
  }

  private mutating func id(_ prefix: String) -> String {
    count += 1
    return "\(prefix)\(count)"
  }

  private mutating func chapter(_ chapter: ReportPage.Chapter) -> Values {
    [
      "id": id("c"), "title": chapter.title,
      "facts": chapter.facts.map { ["name": $0.name, "value": $0.value] },
      "sections": chapter.sections.map { section($0) },
    ]
  }

  private mutating func section(_ section: PageSection) -> Values {
    [
      "id": id("s"), "title": section.title, "lead": section.lead, "cautions": section.cautions,
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
      "title": picture.title, "note": figure.note, "svg": picture.svg(id: id("f")),
      "legend": picture.legend.map {
        [
          "name": $0.name,
          "style": "s\($0.style)" + ($0.isDashed ? " dashed" : "") + ($0.isArea ? " area" : ""),
        ]
      },
      "hasLegend": !picture.legend.isEmpty, "table": table(figure.table),
    ]
  }

  private func tables(_ section: ReportSection) -> Values {
    [
      "title": section.title,
      "parts": section.parts.map { part -> Values in
        switch part {
        case .table(let table): ["table": self.table(table)]
        case .remark(let text): ["remark": text]
        }
      },
    ]
  }

  private func table(_ table: Table) -> Values {
    [
      "headings": table.headings.map { heading($0) },
      "rows": table.rows.map { row in
        ["cells": zip(table.headings, row).enumerated().map { cell($0.offset, $0.element) }]
      },
    ]
  }

  private func heading(_ heading: Table.Heading) -> Values {
    ["text": heading.title, "isWord": !heading.isNumber]
  }

  private func cell(_ index: Int, _ pair: (Table.Heading, String)) -> Values {
    ["text": pair.1, "isWord": !pair.0.isNumber, "isName": index == 0]
  }
}
