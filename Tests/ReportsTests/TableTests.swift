import Reports
import Testing

@Suite struct TableTests {
  @Test func numbersStandRightAndWordsLeft() {
    var table = Table([.word("design"), .number("ns")])
    table.add(["direct", "3.4"])
    table.add(["x", "120"])
    #expect(
      table.text() == """
          design  ns
          ------ ---
          direct 3.4
          x      120

        """)
  }

  @Test func noLineEndsInABlank() {
    var table = Table([.word("a"), .word("b")])
    table.add(["1", "short"])
    table.add(["2", "much longer"])
    #expect(!table.text().split(separator: "\n").contains { $0.hasSuffix(" ") })
  }
}
