import ArgumentParser

@main
struct Doorbell: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "doorbell", abstract: "x")
}
