import CDoorbellBackend
package import EventModel
import Glibc
package import Replay

/// A design in a shared object, loaded and checked: `doorbell_backend.h` is its interface.
///
/// Whoever loads one runs its code. Processes that do so exist for that (`PluginStatus` says how they
/// tell the end), since a plug-in that fails takes its process along.
@safe
package struct PluginLibrary: @unchecked Sendable {
  // Safety of `@unchecked Sendable`: what the pointers lead to is constant and stays as long as the
  // process, because the object is never unloaded.
  let functions: PluginFunctions
  package let path: String
  package let name: String
  package let version: String
  package let abiVersion: UInt32
  let capabilities: UInt64
  /// The counters' places, in the plug-in's order.
  let counters: [WritableKeyPath<WorkCounters, UInt64>]

  /// - Parameter path: with no slash in it, a file of the current folder.
  package init(path: String, status: PluginStatus) throws(PluginError) {
    let file = path.utf8.contains(UInt8(ascii: "/")) ? path : "./" + path
    status.enter(.load)
    // Safety: the path is NUL-terminated for the call; the text that dlerror gives is copied at once.
    guard let handle = unsafe dlopen(file, RTLD_NOW | RTLD_LOCAL) else {
      let reason = unsafe dlerror().map { unsafe String(cString: $0) } ?? "no reason given"
      throw .notLoadable(
        path: path,
        reason: reason.hasPrefix(file + ": ")
          ? String(reason.dropFirst(file.count + 2)) : reason)
    }
    // Safety: as above; the header fixes the function's type.
    guard let symbol = unsafe dlsym(handle, "doorbell_backend_open") else {
      throw .missingSymbol(path: path)
    }
    let open = unsafe unsafeBitCast(symbol, to: doorbell_backend_open_function.self)
    let opened = unsafe open(PluginError.hostVersion)
    status.leave()
    guard let opened = unsafe opened else { throw .refusedVersion(path: path) }
    // Only the first eight bytes are known to be there before the version is.
    // Safety: the plug-in says that a `doorbell_backend` is at the address.
    let header = unsafe UnsafeRawPointer(opened)
    let version = unsafe header.load(as: UInt32.self)
    guard version >> 16 == PluginError.hostVersion >> 16 else {
      throw .wrongVersion(path: path, found: version)
    }
    let size = unsafe header.load(fromByteOffset: 4, as: UInt32.self)
    guard size >= PluginError.structureBytes else {
      throw .structureTooSmall(path: path, found: size)
    }
    // Safety: it has the size that this version's structure needs.
    let backend = unsafe opened.pointee
    self.path = path
    abiVersion = version
    capabilities = unsafe backend.capabilities
    let known = UInt64(DOORBELL_DELIVERS_BY_EVENTFD.rawValue | DOORBELL_TRAPS_SET_UP.rawValue)
    guard capabilities & ~known == 0 else {
      throw .unknownCapabilities(path: path, bits: capabilities & ~known)
    }
    guard let name = unsafe Self.word(backend.name) else {
      throw .badName(path: path, field: "name")
    }
    guard let own = unsafe Self.word(backend.version) else {
      throw .badName(path: path, field: "version")
    }
    self.name = name
    self.version = own
    counters = unsafe try Self.counters(backend, path)
    unsafe functions = try PluginFunctions(backend, path)
  }

  /// What the plug-in says of itself, as a pair of policies.
  package var design: Design {
    Design(
      capabilities & UInt64(DOORBELL_TRAPS_SET_UP.rawValue) != 0 ? .trapped : .owned,
      deliversThroughEventfd ? .irqfd : .vlpi)
  }

  package var deliversThroughEventfd: Bool {
    capabilities & UInt64(DOORBELL_DELIVERS_BY_EVENTFD.rawValue) != 0
  }

  package var interface: String { "\(abiVersion >> 16).\(abiVersion & 0xFFFF)" }

  /// The experiments' way in. `status` is that of this process.
  package func runner(geometry: TableGeometry, status: PluginStatus) -> BackendRunner {
    BackendRunner(geometry: geometry) {
      PluginBackend(self, geometry: geometry, status: status)
    }
  }

  /// A name as the header wants it; nil for any other, and for one without an end.
  private static func word(_ text: UnsafePointer<CChar>?) -> String? {
    guard let text = unsafe text else { return nil }
    let limit = Int(DOORBELL_NAME_LIMIT)
    // Safety: at most `limit` bytes are read, up to the NUL.
    let length = unsafe strnlen(text, limit)
    guard length > 0, length < limit else { return nil }
    let bytes = unsafe UnsafeBufferPointer(start: text, count: length).map { UInt8(bitPattern: $0) }
    let marks = Array("-_.+".utf8)
    guard bytes.allSatisfy({ isLetterOrDigit($0) || marks.contains($0) }) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & ~0x20)
  }

  private static func counters(
    _ backend: doorbell_backend, _ path: String
  ) throws(PluginError) -> [WritableKeyPath<WorkCounters, UInt64>] {
    let count = unsafe backend.counter_count
    guard count <= UInt32(DOORBELL_COUNTER_LIMIT) else {
      throw .tooManyCounters(path: path, count: count)
    }
    guard count > 0 else { return [] }
    guard let names = unsafe backend.counter_names else {
      throw .missingFunction(path: path, name: "counter_names")
    }
    var places: [String: WritableKeyPath<WorkCounters, UInt64>] = [:]
    for field in WorkCounters.fields { places[field.name] = field.path }
    var found: [WritableKeyPath<WorkCounters, UInt64>] = []
    for index in 0..<Int(count) {
      // Safety: below the count that the plug-in gives for its array.
      guard let name = unsafe word(names[index]) else {
        throw .badName(path: path, field: "counter name \(index)")
      }
      guard let place = places.removeValue(forKey: name) else {
        throw .unknownCounter(path: path, name: name)
      }
      found.append(place)
    }
    return found
  }
}

/// The functions of a plug-in, none of them NULL that is needed.
@unsafe
struct PluginFunctions {
  typealias Instance = UnsafeMutableRawPointer
  let create:
    @convention(c) (UnsafePointer<doorbell_geometry>?, UnsafeMutablePointer<CChar>?, Int) ->
      Instance?
  let destroy: @convention(c) (Instance?) -> Void
  let configure: @convention(c) (Instance?, UnsafePointer<doorbell_event>?, Int) -> Void
  let translate:
    @convention(c) (
      Instance?, UnsafePointer<doorbell_event>?, Int, UnsafeMutablePointer<doorbell_outcome>?
    ) -> Int
  /// Nil without counters.
  let readCounters: (@convention(c) (Instance?, UnsafeMutablePointer<UInt64>?) -> Void)?
  /// Nil: addresses stay as they are.
  let physicalAddress: (@convention(c) (UnsafeRawPointer?, UInt64) -> UInt64)?
  /// Both or none.
  let signal:
    (
      @convention(c) (
        Instance?, UnsafePointer<doorbell_event>?, UnsafeMutablePointer<doorbell_outcome>?
      ) -> UInt32
    )?
  let inject: (@convention(c) (Instance?, UInt32, UnsafeMutablePointer<doorbell_outcome>?) -> Void)?

  init(_ backend: doorbell_backend, _ path: String) throws(PluginError) {
    guard let create = unsafe backend.create else {
      throw .missingFunction(path: path, name: "create")
    }
    guard let destroy = unsafe backend.destroy else {
      throw .missingFunction(path: path, name: "destroy")
    }
    guard let configure = unsafe backend.configure else {
      throw .missingFunction(path: path, name: "configure")
    }
    guard let translate = unsafe backend.translate else {
      throw .missingFunction(path: path, name: "translate")
    }
    unsafe self.create = create
    unsafe self.destroy = destroy
    unsafe self.configure = configure
    unsafe self.translate = translate
    unsafe readCounters = backend.counter_count > 0 ? backend.read_counters : nil
    unsafe physicalAddress = backend.physical_address
    let hasEventfd =
      unsafe backend.capabilities & UInt64(DOORBELL_DELIVERS_BY_EVENTFD.rawValue) != 0
    unsafe signal = hasEventfd ? backend.signal : nil
    unsafe inject = hasEventfd ? backend.inject : nil
    if unsafe backend.counter_count > 0 && readCounters == nil {
      throw .missingFunction(path: path, name: "read_counters")
    }
    if hasEventfd {
      if unsafe signal == nil { throw .missingFunction(path: path, name: "signal") }
      if unsafe inject == nil { throw .missingFunction(path: path, name: "inject") }
    }
  }
}
