const nothing = new Proxy(function() {}, {
  get: (_, name) => (typeof name === "string" && name !== "then" ? nothing : undefined),
  construct: () => {
    throw new Error("encryption was not installed")
  }
})

module.exports = nothing
