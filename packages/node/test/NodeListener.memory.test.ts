import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { fork } from "node:child_process"
import { join } from "node:path"
import { asToken, pingPath } from "./support/pair.ts"
import { talk } from "./support/RawClient.ts"

const Ready = Schema.Struct({ port: Schema.Int })
const Usage = Schema.Struct({ maxRssBytes: Schema.Int })

const start = Effect.gen(function*() {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => fork(join(import.meta.dirname, "support/memoryServer.ts"), { execArgv: [] })),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const message = Effect.callback<unknown>((resume) => {
    child.once("message", (message) => resume(Effect.succeed(message)))
    child.once("exit", (code) => resume(Effect.die(new Error(`the server ended with ${code}`))))
  })
  const { port } = yield* Effect.flatMap(message, Schema.decodeUnknownEffect(Ready))
  const maxRssBytes = Effect.suspend(() => {
    child.send("usage")
    return message
  }).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Usage)),
    Effect.map((usage) => usage.maxRssBytes)
  )
  return { port, maxRssBytes }
})

const head = `POST ${pingPath} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${asToken}\r\n`

describe("the memory of a listener", () => {
  // The peak of the whole process is compared, so nothing that was held in between is missed.
  // 600 MB are sent each time; what is left is the garbage of reading them.
  it.effect("20 bodies of 30 MB at once, declared or chunked, cost less than 128 MiB", () =>
    Effect.gen(function*() {
      const { maxRssBytes, port } = yield* start
      const body = Buffer.alloc(30_000_000, "a")
      const declared = [`${head}Content-Length: ${body.length}\r\n\r\n`, body]
      const chunked = [`${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`, body]
      // The first of each kind warms the process up.
      yield* talk(port, declared)
      yield* talk(port, chunked)
      const before = yield* maxRssBytes
      for (const request of [declared, chunked]) {
        const heard = yield* Effect.all(Array.from({ length: 20 }, () => talk(port, request)), {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(heard.map(({ answers }) => answers[0]?.status), Array.from({ length: 20 }, () => 413))
      }
      assert.isBelow((yield* maxRssBytes) - before, 128 * 1024 * 1024)
    }), 30_000)

  it.effect("a flood of pipelined requests on one connection costs less than 64 MiB", () =>
    Effect.gen(function*() {
      const { maxRssBytes, port } = yield* start
      const request = "GET /_matrix/client/versions HTTP/1.1\r\nHost: x\r\n\r\n"
      yield* talk(port, request.repeat(1000))
      const before = yield* maxRssBytes
      const { answers } = yield* talk(port, Buffer.from(request.repeat(400_000)), { sendAll: true })
      assert.strictEqual(answers.at(-1)?.headers["connection"], "close")
      assert.isBelow((yield* maxRssBytes) - before, 64 * 1024 * 1024)
      assert.lengthOf((yield* talk(port, request, { answers: 1 })).answers, 1)
    }), 30_000)
})
