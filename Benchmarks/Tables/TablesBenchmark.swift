// TablesBenchmark: what an MSI costs by where its tables lie.
//
// At hand: a batch of MSIs beside the same loop in C, and a DMA access that hits the TLB. Far: over
// 65,536 devices of 2,048 events, in pages of 4 KiB and of 2 MiB, one by one against a batch that looks
// ahead. Between: a surface of devices × events. And the ways that software delivers.
//
//     swift run -c release TablesBenchmark
//     swift run -c release TablesBenchmark --format json
//
// Answers are compared wherever two ways give them, and the program fails if they differ. About 15 s
// and 2 GiB of memory. It is not an experiment of Doorbell: it keeps no record.
import Glibc

@main
struct TablesBenchmark {
  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    let isJSON = Array(arguments) == ["--format", "json"]
    guard isJSON || arguments.isEmpty else {
      fail("\(arguments.joined(separator: " ")): expected nothing, or --format json", status: 64)
    }
    var tables: [Table] = []
    func show(_ table: Table) {
      if isJSON { tables.append(table) } else { print(table.text) }
    }
    show(HotSections.interrupts(samples: 1_500))
    show(HotSections.accesses(samples: 1_500))
    show(InjectionSections.table(samples: 60))
    let (surface, far) = FarSections.tables()
    show(surface)
    show(far)
    if isJSON {
      print("{\"version\":1,\"tables\":[\(tables.map(\.json).joined(separator: ",\n"))]}")
    }
  }
}

func require(_ condition: Bool, _ message: @autoclosure () -> String) {
  if !condition { fail(message()) }
}

func fail(_ message: String, status: Int32 = 1) -> Never {
  var line = "TablesBenchmark: \(message)\n"
  // Safety: the bytes live during the call.
  line.withUTF8 { _ = unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
  exit(status)
}
