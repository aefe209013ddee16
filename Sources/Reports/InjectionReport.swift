package import Gates

/// What `doorbell inject` prints: the answer, then the gate's own report.
package struct InjectionReport {
  let document: InjectionDocument

  package init(_ document: InjectionDocument) { self.document = document }

  package func text() -> String {
    var out = "inject \(document.injected): "
    out += document.answer.rawValue.replacing("-", with: " ") + "\n"
    for cell in document.falseAlarms { out += "false alarm: \(cell)\n" }
    return out + GateReport(document.gate).text()
  }
}
