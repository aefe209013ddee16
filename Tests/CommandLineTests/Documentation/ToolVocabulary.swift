import Foundation

/// What the tool understands: verbs and their options, from its own help. Asked once for each verb.
enum ToolVocabulary {
  static let verbs: [String] = {
    let help = (try? Tool.run("--help").output) ?? ""
    return subcommands(help)
  }()

  private final class Cache: @unchecked Sendable {
    private let lock = NSLock()
    private var helps: [String: String] = [:]
    func help(_ words: [String]) -> String {
      lock.withLock {
        let key = words.joined(separator: " ")
        if let help = helps[key] { return help }
        let help = (try? Tool.run(words + ["--help"]).output) ?? ""
        helps[key] = help
        return help
      }
    }
  }
  private static let cache = Cache()

  private static func subcommands(_ help: String) -> [String] {
    let listed = help.components(separatedBy: "SUBCOMMANDS:").dropFirst().last ?? ""
    return listed.split(separator: "\n").compactMap { line in
      guard line.hasPrefix("  "), !line.hasPrefix("   "), !line.hasPrefix("  See ") else {
        return nil
      }
      return line.split(separator: " ").first.map(String.init)
    }
  }

  private static func options(_ help: String) -> Set<String> {
    Set(help.matches(of: /-{1,2}[A-Za-z][A-Za-z-]*/).map { String($0.output) })
  }

  static var everyOption: Set<String> {
    verbs.reduce(into: options(cache.help([]))) { all, verb in
      let help = cache.help([verb])
      all.formUnion(options(help))
      for sub in subcommands(help) { all.formUnion(options(cache.help([verb, sub]))) }
    }
  }

  /// What is wrong with the invocations of `doorbell` in a line of a shell, in words.
  static func flaws(in line: String) -> [String] {
    var found: [String] = []
    // Words in quotes are somebody else's options.
    let joined = line.replacingOccurrences(of: "\\\n", with: " ")
      .replacing(/"[^"]*"|'[^']*'/, with: "quoted")
    let parts = joined.split { "|;&\n".contains($0) }
    for part in parts {
      var words = part.split(separator: " ").map(String.init)
      if let comment = words.firstIndex(where: { $0.hasPrefix("#") }) {
        words.removeSubrange(comment...)
      }
      guard
        let start = words.firstIndex(where: { $0 == "doorbell" || $0.hasSuffix("/doorbell") }),
        start == 0 || words[start - 1] == "sudo" || words[start - 1] == "$", start + 1 < words.count
      else { continue }
      found += flaws(ofArguments: Array(words[(start + 1)...]))
    }
    return found
  }

  private static func flaws(ofArguments words: [String]) -> [String] {
    guard let verb = words.first, !verb.hasPrefix("-"), verb != "help" else { return [] }
    guard verbs.contains(verb) else { return ["there is no verb '\(verb)'"] }
    var named = [verb]
    let inner = subcommands(cache.help(named))
    if !inner.isEmpty, words.count > 1, !words[1].hasPrefix("-") {
      guard inner.contains(words[1]) else { return ["'\(verb)' has no '\(words[1])'"] }
      named.append(words[1])
    }
    let known = options(cache.help(named))
    let given = words.filter { $0.hasPrefix("-") && $0.count > 1 && Double($0) == nil }
      .compactMap { $0.split(separator: "=").first.map(String.init) }
    return given.filter { !known.contains($0) }.map {
      "'\(named.joined(separator: " "))' has no option '\($0)'"
    }
  }
}
