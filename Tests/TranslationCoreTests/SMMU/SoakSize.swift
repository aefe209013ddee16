import Glibc

/// A variable of the environment.
func environment(_ name: String) -> String? {
  // Safety: `getenv` gives a C string that lives as long as nobody changes the environment.
  unsafe getenv(name).map { unsafe String(cString: $0) }
}
