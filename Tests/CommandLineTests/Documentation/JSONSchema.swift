import Foundation

/// A JSON Schema of the manual, as far as it is used there, and documents made from it.
///
/// Not a validator: whether documents are valid, jsonschema says (`Tests/Formats/documents`).
struct JSONSchema {
  typealias Object = [String: Any]

  private let root: Object

  static let folder = Tool.repository + "/Sources/Manual/Reference/Schemas"

  init(_ name: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(Self.folder)/\(name).schema.json"))
    root = try JSONSerialization.jsonObject(with: data) as? Object ?? [:]
  }

  /// A property of some object in the sample: the way there, and whether it may be left out.
  struct Property: Hashable {
    var path: [String]
    var isRequired: Bool
  }

  /// A document with every property that there is, one element in each list, and the first of several values.
  func sample() throws -> Object { try value(of: root, in: self) as? Object ?? [:] }

  private func value(of node: Object, in schema: JSONSchema) throws -> Any {
    if let reference = node["$ref"] as? String {
      let (target, home) = try resolve(reference, in: schema)
      return try value(of: target, in: home)
    }
    if let fixed = node["const"] { return fixed }
    if let several = node["enum"] as? [Any] { return several[0] }
    switch node["type"] as? String {
    case "object":
      if let properties = node["properties"] as? [String: Object] {
        return try properties.mapValues { try value(of: $0, in: schema) }
      }
      return ["name": try value(of: node["additionalProperties"] as? Object ?? [:], in: schema)]
    case "array": return [try value(of: node["items"] as? Object ?? [:], in: schema)]
    case "string": return (node["pattern"] as? String).map { _ in Self.hash } ?? "text"
    case "boolean": return true
    default: return node["minimum"] ?? 1
    }
  }

  private static let hash = String(repeating: "a", count: 64)

  private func resolve(_ reference: String, in schema: JSONSchema) throws -> (Object, JSONSchema) {
    if reference.hasPrefix("#/$defs/") {
      let definitions = schema.root["$defs"] as? [String: Object] ?? [:]
      return (definitions[String(reference.dropFirst(8))] ?? [:], schema)
    }
    let parts = reference.components(separatedBy: "#")
    let other = try JSONSchema(parts[0].replacingOccurrences(of: ".schema.json", with: ""))
    return parts.count > 1 ? try resolve("#" + parts[1], in: other) : (other.root, other)
  }

  /// Every property of the sample. The first element of a list is the step "[]".
  func properties() throws -> Set<Property> {
    var found: Set<Property> = []
    try collect(root, in: self, path: [], &found)
    return found
  }

  private func collect(
    _ node: Object, in schema: JSONSchema, path: [String], _ found: inout Set<Property>
  ) throws {
    if let reference = node["$ref"] as? String {
      let (target, home) = try resolve(reference, in: schema)
      return try collect(target, in: home, path: path, &found)
    }
    if let properties = node["properties"] as? [String: Object] {
      let required = node["required"] as? [String] ?? []
      for (name, inner) in properties {
        found.insert(Property(path: path + [name], isRequired: required.contains(name)))
        try collect(inner, in: schema, path: path + [name], &found)
      }
    } else if let inner = node["additionalProperties"] as? Object {
      try collect(inner, in: schema, path: path + ["name"], &found)
    }
    if let items = node["items"] as? Object {
      try collect(items, in: schema, path: path + ["[]"], &found)
    }
  }

  /// `document` without the property at `path`.
  static func removing(_ path: [String], from document: Any) -> Any {
    guard let first = path.first else { return document }
    if var list = document as? [Any] {
      list[0] = removing(Array(path.dropFirst()), from: list[0])
      return list
    }
    var object = document as? Object ?? [:]
    if path.count == 1 {
      object[first] = nil
    } else if let inner = object[first] {
      object[first] = removing(Array(path.dropFirst()), from: inner)
    }
    return object
  }
}
