/// The layout of one event's binary record, from the format text that the kernel gives for it
/// (tracefs, events/…/…/format) and that every trace.dat carries.
struct EventFormat: Hashable {
  struct Field: Hashable {
    var name: String
    var offset: Int
    var size: Int
    /// The value is a reference to bytes elsewhere in the record: offset in the low half, size in
    /// the high half ("__data_loc"); relative to the field's end for "__rel_loc".
    var isDataLocation = false
    var isRelative = false
    /// An array of characters in place.
    var isText = false
  }

  var name: String
  var identifier: Int
  var fields: [Field]

  /// - Returns: nil if the text has no name, no number below 65,536, or a field that is no field.
  init?(_ text: String) {
    var name: String?
    var identifier: Int?
    var fields: [Field] = []
    for line in text.split(separator: "\n") {
      if line.hasPrefix("name:") {
        name = line.dropFirst(5).trimmed
      } else if line.hasPrefix("ID:") {
        identifier = Int(line.dropFirst(3).trimmed)
      } else if line.hasPrefix("print fmt:") {
        break
      } else if line.trimmed.hasPrefix("field") {
        guard let field = Self.field(line) else { return nil }
        fields.append(field)
      }
    }
    guard let name, let identifier, (0..<65_536).contains(identifier) else { return nil }
    self.name = name
    self.identifier = identifier
    self.fields = fields
  }

  /// "field:__data_loc char[] name;  offset:12;  size:4;  signed:0;"
  static func field(_ line: Substring) -> Field? {
    var declaration: Substring?
    var numbers: [Substring: Int] = [:]
    for part in line.split(separator: ";") {
      guard let colon = part.firstIndex(of: ":") else { continue }
      let key = Substring(part[..<colon].trimmed)
      let value = Substring(part[part.index(after: colon)...].trimmed)
      if key == "field" || key == "field special" { declaration = value }
      if let number = Int(value) { numbers[key] = number }
    }
    guard var declaration, let offset = numbers["offset"], let size = numbers["size"],
      (0..<65_536).contains(offset), (0..<65_536).contains(size)
    else { return nil }
    var isArray = false
    if declaration.hasSuffix("]"), let bracket = declaration.lastIndex(of: "[") {
      isArray = true
      declaration = declaration[..<bracket]
    }
    guard let name = declaration.split(whereSeparator: { $0 == " " || $0 == "*" }).last
    else { return nil }
    let isRelative = declaration.hasPrefix("__rel_loc")
    return Field(
      name: String(name), offset: offset, size: size,
      isDataLocation: isRelative || declaration.hasPrefix("__data_loc"), isRelative: isRelative,
      isText: isArray && declaration.contains("char"))
  }

  subscript(name: String) -> Field? { fields.first { $0.name == name } }
}

extension Substring {
  /// Without blanks and tabs at both ends.
  fileprivate var trimmed: String {
    var text = self
    while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
    return String(text)
  }
}
