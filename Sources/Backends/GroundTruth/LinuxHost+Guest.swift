// KVM: the guest's virtual ITS and its vCPUs (arch/arm64/kvm/vgic/vgic-its.c, vgic-v4.c;
// drivers/irqchip/irq-gic-v4.c, irq-gic-v3-its.c).

extension LinuxHost {
  package mutating func apply(_ action: GuestAction) {
    switch action {
    case .tableStore(let entry, let word, let value): storeToTable(entry, word: word, value)
    case .messageControl(let isEnabled, let isMasked):
      setControl(isEnabled: isEnabled, isMasked: isMasked)
    case .commands(let commands):
      count(.commandTraps)
      for command in commands { self.command(command) }
    case .invalidate(let event):
      count(.invalidationTraps)
      // Of a physical LPI KVM reads the guest's configuration byte, and that is all.
      if isForwarded(event) { post(.inv, for: .vsync) }
    case .start(let vCPUs): start(vCPUs)
    case .end: end()
    case .load(let vCPU, let pe): load(vCPU, pe)
    case .block:
      if stack.forwards { postForDoorbell(.proxyInv, stack.invalidationsPerBlock) }
    case .handler(let event): inject(event)
    }
  }

  private func isForwarded(_ event: Int) -> Bool {
    vectors.indices.contains(event) && vectors[event].isForwarded
  }

  /// The translation cache is dropped whole by every command that takes or moves a mapping.
  private mutating func command(_ command: GuestAction.Command) {
    switch command {
    case .mapCollection, .map: break
    case .mapDevice: cached = []
    case .invalidateAll:
      if stack.forwards { post(.vinvall, for: .vsync) }
    case .discard(let event):
      cached = []
      if isForwarded(event) { unforward(event) }
    case .move(let event):
      cached = []
      if isForwarded(event) { post(.vmovi, for: .vsync) }
    }
  }

  /// A message in software. The irqfd asks the cache from the handler's own context; a miss goes to a
  /// worker, which asks again before it walks the lists. The VMM's ioctl asks once, in its own thread.
  private mutating func inject(_ event: Int) {
    count(.handlers)
    count(.cacheLookups)
    count(.acknowledged)
    if !stack.usesIRQFD {
      count(.slowInjections)
    } else if cached.insert(event).inserted {
      count(.slowInjections)
      count(.cacheLookups)
    }
  }
}

// vPEs and their doorbells. Without GICv4 none of it costs an ITS command.
extension LinuxHost {
  private mutating func start(_ vCPUs: Int) {
    peOfVPE = Array(repeating: 0, count: vCPUs)
    guard stack.forwards else { return }
    post(.vmapp, vCPUs, for: .vsync)
    post(.vinvall, vCPUs, for: .vsync)
    postForDoorbell(.proxyMapti, vCPUs)
  }

  private mutating func end() {
    guard stack.forwards else { return }
    post(.vmapp, peOfVPE.count, for: .vsync)
    postForDoorbell(.proxyDiscard, peOfVPE.count)
  }

  /// `vgic_v4_load`: the vPE is told where it runs, and its doorbell is cleared.
  private mutating func load(_ vCPU: Int, _ pe: Int) {
    guard stack.forwards, peOfVPE.indices.contains(vCPU) else { return }
    if peOfVPE[vCPU] != pe {
      peOfVPE[vCPU] = pe
      post(.vmovp, for: .vsync)
      postForDoorbell(.proxyMovi, 1)
    }
    postForDoorbell(.proxyClear, stack.clearsPerLoad)
  }

  /// With registers for LPIs in the redistributors no command is needed.
  private mutating func postForDoorbell(_ figure: HostWork.Figure, _ number: Int) {
    if stack.needsProxy { post(figure, number) }
  }
}
