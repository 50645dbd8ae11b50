#!/usr/bin/env node
import { enableCompileCache } from "node:module"

// Everything else is imported after the check, because an older Node fails on the imports with a message of its own.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`appservice-ping needs Node 22.19 or newer; this is Node ${process.versions.node}.\n`)
  process.exit(2)
}

// Most of a short command's time is compiling.
enableCompileCache?.()

await import("../dist/main.js")
