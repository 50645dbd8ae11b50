import * as BlockedPort from "@appservice-ping/testbed/carrier/wire/internal/BlockedPort"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createServer, type Server } from "node:net"

const taken = Effect.acquireRelease(
  Effect.callback<Server>((resume) => {
    const server = createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.sync(() => server.close())
)

describe.runIf(BlockedPort.isSupported)("a port that never accepts", () => {
  it.live("fails where its thread ends before it listens", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(BlockedPort.listen("127.0.0.1", 70_000))
      assert.strictEqual(error.code, "ERR_SOCKET_BAD_PORT")
    }))

  it.live("fails where the port is taken", () =>
    Effect.gen(function*() {
      const address = (yield* taken).address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const error = yield* Effect.flip(BlockedPort.listen("127.0.0.1", port))
      assert.strictEqual(error.code, "EADDRINUSE")
    }))
})
