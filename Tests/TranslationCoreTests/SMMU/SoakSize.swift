import Glibc

/// A variable of the environment.
func environment(_ name: String) -> String? {
  // Safety: `getenv` gives a C string that lives as long as nobody changes the environment.
  unsafe getenv(name).map { unsafe String(cString: $0) }
}

/// How long the random tests run: a slice by default, `DOORBELL_SOAK_EVENTS` for a soak.
enum SoakSize {
  static var isSoak: Bool { environment("DOORBELL_SOAK_EVENTS") != nil }

  static func events(perCase usual: Int) -> Int {
    environment("DOORBELL_SOAK_EVENTS").flatMap(Int.init) ?? usual
  }
}
