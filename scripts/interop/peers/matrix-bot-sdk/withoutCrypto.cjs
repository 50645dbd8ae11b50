// The SDK loads its encryption whether or not it is used, and that is a binary which no registry has: its package
// fetches it from elsewhere when it is installed. Nothing here encrypts, so anything that can be looked at will do.
const { registerHooks } = require("node:module")
const { pathToFileURL } = require("node:url")
const path = require("node:path")

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "@matrix-org/matrix-sdk-crypto-nodejs"
      ? { url: pathToFileURL(path.join(__dirname, "noCrypto.cjs")).href, shortCircuit: true }
      : next(specifier, context)
})
