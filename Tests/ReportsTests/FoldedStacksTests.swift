import Reports
import Testing

/// `perf script` → folded stacks.
@Suite struct FoldedStacksTests {
  /// As `perf script -F comm,ip,sym,dso` of perf 6.1 prints it.
  private let script = """
    # captured on: a host
    doorbell\u{20}
    \t    7f1a80 inner+code (/usr/lib/libx.so)
    \t    7f1a10 outer (/usr/bin/doorbell)
    \t     2724a __libc_start_call_main (/usr/lib/libc.so.6)

    doorbell\u{20}
    \tffffffff81713469 prepend_path ([kernel.kallsyms])
    \tffffffffc0001000 queue_rq ([virtio_blk].ko)
    \t    7f1a10 outer (/usr/bin/doorbell)

    a thread's name\u{20}
    \t    7f1a80 (anonymous namespace)::f<g>(int; long) (/usr/lib/lib x.so)
    \t         0 [unknown] ([unknown])

    doorbell\u{20}
    \t    7f1a80 inner+code (/usr/lib/libx.so)
    \t    7f1a10 outer (/usr/bin/doorbell)
    \t     2724a __libc_start_call_main (/usr/lib/libc.so.6)

    doorbell\u{20}

    """

  @Test func stacksAreFoldedFromTheOutermostFrameAndCounted() {
    var stacks = FoldedStacks()
    stacks.add(script: script, root: ["direct", "core"]) { $0 == "outer" ? "Outer.run()" : $0 }
    #expect(stacks.samples == 5 && stacks.stacks == 4)
    #expect(
      stacks.text() == """
        direct;core 1
        direct;core;Outer.run();queue_rq_[k];prepend_path_[k] 1
        direct;core;[unknown];(anonymous namespace)::f<g>(int: long) 1
        direct;core;__libc_start_call_main;Outer.run();inner+code 2

        """)
  }

  @Test func cellsStayApartAndTheEndNeedsNoBlankLine() {
    var stacks = FoldedStacks()
    stacks.add(script: "", root: ["direct"])
    #expect(stacks.text().isEmpty)
    for root in ["direct", "eventfd"] {
      stacks.add(script: "doorbell\n\t 1 f (x)\n\t 2 g (x)", root: [root])
    }
    #expect(stacks.text() == "direct;g;f 1\neventfd;g;f 1\n")
  }
}
