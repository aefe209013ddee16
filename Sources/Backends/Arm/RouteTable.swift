/// irqfd's routes: what each eventfd injects (Linux virt/kvm/eventfd.c caches the route in the irqfd).
/// Index = host INTID − 8192, so that the interrupt handler finds the eventfd by its interrupt.
struct RouteTable {
  struct Route {
    var deviceID: UInt32 = 0
    /// The guest's EventID: the data of its message.
    var eventID: UInt32 = 0
    var streamID: UInt32 = 0
    /// The MSI-X place that the route belongs to; only with trapped set-up.
    var place: UInt32 = 0
    /// The guest's message leads to its doorbell. Otherwise `inject` asks again.
    var isResolved = false
  }
  private(set) var routes: [Route] = []

  subscript(index: UInt32) -> Route? {
    get { Int(index) < routes.count ? routes[Int(index)] : nil }
    set {
      guard let newValue else { return }
      while routes.count <= Int(index) { routes.append(Route()) }
      routes[Int(index)] = newValue
    }
  }
}
