import Foundation
import Gates
import History
import Testing

/// The schemas of the manual against the types that read and write these documents, and against documents.
@Suite struct SchemaTests {
  /// The schema and the type say the same: names, what may be left out, values of enumerations.
  private static func compare<Document: Codable>(_: Document.Type, _ name: String) throws {
    let schema = try JSONSchema(name)
    let sample = try schema.sample()
    let document = try decode(Document.self, sample)
    // What the type does not know does not come back.
    let back = try JSONSerialization.jsonObject(with: JSONEncoder().encode(document))
    #expect(
      (back as? NSDictionary) == (sample as NSDictionary),
      "\(name): a document by the schema comes back as another:\n\(sample)\n\(back)")
    for property in try schema.properties() {
      let less = JSONSchema.removing(property.path, from: sample)
      let isAccepted = (try? decode(Document.self, less)) != nil
      #expect(
        isAccepted != property.isRequired,
        "\(name): \(property.path.joined(separator: ".")): required \(property.isRequired)")
    }
    // What the schema does not know would be absent from the sample, and nil here.
    let absent = nilProperties(of: document, path: name)
    #expect(absent.isEmpty, "not in the schema: \(absent.joined(separator: ", "))")
  }

  private static func decode<Document: Decodable>(_: Document.Type, _ object: Any) throws
    -> Document
  {
    try JSONDecoder().decode(
      Document.self, from: JSONSerialization.data(withJSONObject: object))
  }

  private static func nilProperties(of value: Any, path: String) -> [String] {
    let mirror = Mirror(reflecting: value)
    if mirror.displayStyle == .optional {
      return mirror.children.first.map { nilProperties(of: $0.value, path: path) } ?? [path]
    }
    guard mirror.displayStyle != .enum else { return [] }
    return mirror.children.flatMap { child in
      nilProperties(of: child.value, path: child.label.map { "\(path).\($0)" } ?? path)
    }
  }

  @Test func runRecord() throws { try Self.compare(RunRecord.self, "run-record") }
  @Test func comparison() throws { try Self.compare(Comparison.self, "comparison") }
  @Test func gate() throws { try Self.compare(GateDocument.self, "gate") }
  @Test func shardPlan() throws { try Self.compare(ShardPlan.self, "shard-plan") }
  @Test func shardResult() throws { try Self.compare(ShardResult.self, "shard-result") }

  @Test func theSchemaIsOfThisVersion() throws {
    #expect(try JSONSchema("run-record").sample()["schema"] as? Int == RunRecord.currentSchema)
    #expect(try JSONSchema("shard-plan").sample()["schema"] as? Int == ShardPlan.currentSchema)
  }

  static let hasValidator =
    (try? Tool.pipeline("python3 -W ignore -c 'import jsonschema, referencing'").status) == 0

  /// Documents as the tool writes them, and the same with one thing wrong.
  @Test(.enabled(if: hasValidator, "no python3 with jsonschema here"))
  func documentsOfTheToolAreValidAndBrokenOnesAreNot() throws {
    try SampleRun.use { folder, record in
      let made = try Tool.pipeline(
        """
        set -e; cd "$1"; boot="$2"; quick="--design direct --experiment core"
        "$0" compare run.json run.json --format json > comparison.json
        "$0" gate "$0" "$0" --trace "$boot" --design direct --format json > gate.json
        "$0" gate run.json "$0" --trace "$boot" --design eventfd --format json > refused.json || [ $? = 3 ]
        "$0" shard plan "$boot" $quick --replay-options "--passes 1 --duration 1ms" -o plan.json > plan.txt
        "$0" shard run plan.json 1 --results results > run.txt
        "$0" shard merge plan.json results -o merged > merge.txt
        printf 'schema = 1\nlaunches = 2\n[[run]]\ntraces = "%s"\ndesigns = "direct"\nexperiments = "path"\n%s\n' \
          "$boot" 'interrupts = 100' > suite.toml
        "$0" suite run suite.toml -o suite > suite.txt
        "$0" live --traps --stores 20 -o live.json > live.txt || [ $? = 3 ]
        """, folder.root, Tool.trace("boot"))
      try #require(made.status == 0, "\(made.text)")
      var documents = [
        ("run-record", record), ("comparison", folder.path("comparison.json")),
        ("gate", folder.path("gate.json")), ("gate", folder.path("refused.json")),
        ("shard-plan", folder.path("plan.json")),
        ("shard-result", folder.path("results/shard-1.json")),
        ("run-record", folder.path("merged/1-boot.dbtrace.json")),
        ("run-record", folder.path("suite/results/1-boot-direct-path-1.json")),
        ("run-record", folder.path("suite/merged/boot.dbtrace.json")),
      ]
      if FileManager.default.fileExists(atPath: folder.path("live.json")) {
        documents.append(("run-record", folder.path("live.json")))
      }
      let valid = try Self.validate(documents)
      #expect(valid.status == 0, "\(valid.text)")
      let text = try String(contentsOfFile: record, encoding: .utf8)
      for (name, right, wrong) in [
        ("type", "\"launches\" : 1", "\"launches\" : \"one\""),
        ("missing", "\"launches\" : 1,", ""), ("unknown", "\"launches\" : 1", "\"lunches\" : 1"),
        ("version", "\"schema\" : 1,\n  \"started\"", "\"schema\" : 2,\n  \"started\""),
        ("mode", "\"mode\" : \"modelled\"", "\"mode\" : \"guessed\""),
      ] {
        try #require(text.contains(right), "\(name)")
        let path = folder.path("\(name).json")
        try text.replacingOccurrences(of: right, with: wrong)
          .write(toFile: path, atomically: true, encoding: .utf8)
        let found = try Self.validate([("run-record", path)])
        #expect(found.status == 1 && found.output.contains("\(name).json"), "\(found.text)")
      }
    }
  }

  private static func validate(_ documents: [(schema: String, path: String)]) throws -> Tool.Result
  {
    let words = documents.map { "'\($0.schema)' '\($0.path)'" }.joined(separator: " ")
    return try Tool.pipeline("\"$1/Tests/Formats/documents\" \(words)", Tool.repository)
  }
}
