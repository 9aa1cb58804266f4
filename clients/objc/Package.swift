// swift-tools-version:5.3
import PackageDescription

let package = Package(
    name: "ErrorStack",
    products: [.library(name: "ErrorStack", targets: ["ErrorStack"])],
    targets: [.target(name: "ErrorStack", path: "Sources/ErrorStack", publicHeadersPath: "include")]
)
