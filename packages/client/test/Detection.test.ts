// What is detected, and how often the homeserver is asked for it.
import * as Detection from "@appservice-ping/client/Detection"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Schema } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { homeserver, memory, type Reaction } from "./support/memory.ts"

const versionsUrl = "https://matrix.example/_matrix/client/versions"

const serverUrl = "https://matrix.example/_matrix/federation/v1/version"

const json = (status: number, body: unknown) => (): Reaction => Response.json(body, { status })

const stable = json(200, { versions: ["v1.6", "v1.7"] })

const synapse = json(200, { server: { name: "Synapse", version: "1.157.0" } })

interface Answers {
  readonly versions?: (nth: number) => Effect.Effect<Reaction>
  readonly server?: () => Effect.Effect<Reaction>
}

/** A homeserver that answers the two questions, and what it was asked. */
const stubOf = (answers: Answers = {}) => {
  let asked = 0
  const stub = memory(({ url }) =>
    url === versionsUrl
      ? (answers.versions ?? (() => Effect.sync(stable)))(asked++)
      : (answers.server ?? (() => Effect.sync(synapse)))()
  )
  return { stub, urls: () => stub.received.map(({ url }) => url) }
}

const make = (answers: Answers, options: Partial<Detection.DetectionOptions> = {}) => {
  const { stub, urls } = stubOf(answers)
  return Effect.map(
    Detection.make({ homeserver, ...options }).pipe(Effect.provideService(HttpClient.HttpClient, stub.client)),
    (detection) => ({ ...detection, urls, received: stub.received })
  )
}

describe("detect", () => {
  it.effect("C21 finds the stable path, the versions, and what the homeserver calls itself", () =>
    Effect.gen(function*() {
      const { detect, received, urls } = yield* make({})
      assert.lengthOf(urls(), 0)
      assert.deepStrictEqual(yield* detect, {
        path: "stable",
        versions: ["v1.6", "v1.7"],
        server: { name: "Synapse", version: "1.157.0" }
      })
      assert.deepStrictEqual(urls(), [versionsUrl, serverUrl])
      assert.isTrue(received.every(({ headers, method }) => method === "GET" && !("authorization" in headers)))
    }))

  it.effect("C22 finds the unstable path", () =>
    Effect.gen(function*() {
      const versions = () => Effect.sync(json(200, { versions: [], unstable_features: { "fi.mau.msc2659": true } }))
      const { detect, urls } = yield* make({ versions }, { describe: false })
      assert.deepStrictEqual(yield* detect, { path: "unstable", versions: [] })
      assert.deepStrictEqual(urls(), [versionsUrl])
    }))

  it.effect("C21 fails with what the homeserver is and lists where it has no ping", () =>
    Effect.gen(function*() {
      const listed = [...Array.from({ length: 20 }, (_, minor) => `r0.${minor}`), "x".repeat(1000), "bad\nline", "v1.6"]
      const { detect } = yield* make({ versions: () => Effect.sync(json(200, { versions: listed })) }, {
        homeserver: new URL("https://bob:canary@matrix.example/?canary")
      })
      const error = yield* Effect.flip(detect)
      assert.deepInclude(error, {
        _tag: "PingUnsupported",
        url: "https://matrix.example/",
        versions: ["r0.13", "r0.14", "r0.15", "r0.16", "r0.17", "r0.18", "r0.19", "v1.6"],
        server: { name: "Synapse", version: "1.157.0" }
      })
      assert.match(error.message, /^Synapse 1\.157\.0 at https:\/\/matrix\.example\/ does not support the ping.*v1\.6$/)
    }))

  it.effect("C21 passes on why it is not known", () =>
    Effect.gen(function*() {
      const { detect } = yield* make({ versions: () => Effect.sync(() => new Response("<html>", { status: 502 })) })
      assert.strictEqual((yield* Effect.flip(detect))._tag, "NotHomeserver")
    }))
})

describe("the name of the homeserver", () => {
  const silent: ReadonlyArray<readonly [string, () => Reaction]> = [
    ["404", json(404, { errcode: "M_UNRECOGNIZED" })],
    ["an error with a server in it", json(500, { server: { name: "canary" } })],
    ["a page", () => new Response("<html>")],
    ["a redirect", () => new Response(null, { status: 302, headers: { location: "/x" } })],
    ["no name", json(200, { server: { version: "1" } })],
    ["a name of control characters", json(200, { server: { name: "\u001b\u0000\u202e" } })],
    ["a list", json(200, [])],
    ["a body without an end", () => new Response(`{"server":{"name":"${"x".repeat(20_000)}"}}`)],
    ["no connection", () => ({ raises: Object.assign(new Error(), { code: "ECONNREFUSED" }) })]
  ]
  for (const [name, reaction] of silent) {
    it.effect(`C21 is left out, and no error, for ${name}`, () =>
      Effect.gen(function*() {
        const { detect } = yield* make({ server: () => Effect.sync(reaction) })
        assert.deepStrictEqual(yield* detect, { path: "stable", versions: ["v1.6", "v1.7"] })
      }))
  }

  it.effect("C21 is left out where it takes more than 3 seconds", () =>
    Effect.gen(function*() {
      const { detect } = yield* make({ server: () => Effect.never })
      const fiber = yield* Effect.forkChild(detect)
      yield* TestClock.adjust("2999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.notProperty(yield* Fiber.join(fiber), "server")
    }))

  it.effect("C21 is one short line that anybody can print", () =>
    Effect.gen(function*() {
      const server = json(200, { server: { name: `Syn\u001b[31m\napse ${"x".repeat(500)}`, version: " 1.0 " } })
      const { detect } = yield* make({ server: () => Effect.sync(server) })
      const found = yield* detect
      assert.deepStrictEqual(found.server, { name: `Syn [31m apse ${"x".repeat(50)}`, version: "1.0" })
    }))
})

describe("what was detected", () => {
  it.effect("C21 is remembered for an hour, and asked for again then", () =>
    Effect.gen(function*() {
      const { detect, urls } = yield* make({}, { describe: false })
      yield* detect
      yield* TestClock.adjust("3599999 millis")
      yield* detect
      assert.lengthOf(urls(), 1)
      yield* TestClock.adjust("1 millis")
      yield* detect
      assert.lengthOf(urls(), 2)
    }))

  it.effect("C21 is remembered for as long as it is told to, and for ever", () =>
    Effect.gen(function*() {
      const short = yield* make({}, { describe: false, timeToLive: "5 seconds" })
      const endless = yield* make({}, { describe: false, timeToLive: "Infinity" })
      yield* Effect.all([short.detect, endless.detect])
      yield* TestClock.adjust("4999 millis")
      yield* Effect.all([short.detect, endless.detect])
      assert.lengthOf(short.urls(), 1)
      yield* TestClock.adjust("1 millis")
      yield* Effect.all([short.detect, endless.detect])
      assert.lengthOf(short.urls(), 2)
      yield* TestClock.adjust("3650 days")
      yield* endless.detect
      assert.lengthOf(endless.urls(), 1)
    }))

  it.effect("C21 is asked for again once it is forgotten", () =>
    Effect.gen(function*() {
      const { detect, forget, urls } = yield* make({}, { describe: false })
      yield* detect
      yield* forget
      assert.lengthOf(urls(), 1)
      yield* detect
      assert.lengthOf(urls(), 2)
    }))

  it.effect("C21 is never a failure", () =>
    Effect.gen(function*() {
      const { detect, urls } = yield* make({
        versions: (nth) =>
          Effect.sync(nth === 0 ? json(200, { versions: ["v1.1"] }) : nth === 1 ? json(500, {}) : stable)
      }, { describe: false })
      assert.strictEqual((yield* Effect.flip(detect))._tag, "PingUnsupported")
      assert.strictEqual((yield* Effect.flip(detect))._tag, "NotHomeserver")
      assert.strictEqual((yield* detect).path, "stable")
      assert.lengthOf(urls(), 3)
    }))

  it.effect("D10 is remembered no longer and no failure is, where the wall clock is set back", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      let setBack = 0
      const currentTimeMillisUnsafe = () => clock.currentTimeMillisUnsafe() - setBack
      const skewed: Clock.Clock = {
        ...clock,
        currentTimeMillisUnsafe,
        currentTimeMillis: Effect.sync(currentTimeMillisUnsafe)
      }
      yield* Effect.gen(function*() {
        const { detect, urls } = yield* make({
          versions: (nth) => Effect.sync(nth === 0 ? json(500, {}) : stable)
        }, { describe: false })
        yield* Effect.flip(detect)
        setBack = 86_400_000
        yield* detect
        assert.lengthOf(urls(), 2)
        setBack = 2 * 86_400_000
        yield* TestClock.adjust("3599999 millis")
        yield* detect
        assert.lengthOf(urls(), 2)
        yield* TestClock.adjust("1 millis")
        yield* detect
        assert.lengthOf(urls(), 3)
      }).pipe(Effect.provideService(Clock.Clock, skewed))
    }))

  it.effect("C21 is asked for each time where it is not to be remembered", () =>
    Effect.gen(function*() {
      const { detect, urls } = yield* make({}, { describe: false, timeToLive: 0 })
      yield* detect
      assert.lengthOf(urls(), 1)
      yield* TestClock.adjust("1 millis")
      yield* detect
      assert.lengthOf(urls(), 2)
    }))

  it.effect("C21 is one request for all who ask at once, and one who leaves takes it from nobody", () =>
    Effect.gen(function*() {
      const versions = () => Effect.delay(Effect.sync(stable), "2 seconds")
      const { detect, urls } = yield* make({ versions }, { describe: false })
      const [first, ...others] = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(detect))
      yield* TestClock.adjust("1 second")
      assert.lengthOf(urls(), 1)
      if (first !== undefined) yield* Fiber.interrupt(first)
      yield* TestClock.adjust("999 millis")
      for (const fiber of others) assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      for (const fiber of others) assert.strictEqual((yield* Fiber.join(fiber)).path, "stable")
      assert.lengthOf(urls(), 1)
    }))

  it.effect("C21 is asked for again where all who asked have left", () =>
    Effect.gen(function*() {
      let open = 0
      const versions = () =>
        Effect.onInterrupt(
          Effect.suspend(() => {
            open++
            return Effect.never
          }),
          () => Effect.sync(() => void open--)
        )
      const { detect, urls } = yield* make({ versions }, { describe: false })
      const fiber = yield* Effect.forkChild(detect)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(open, 1)
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust(0)
      assert.strictEqual(open, 0)
      yield* Effect.forkChild(detect)
      yield* TestClock.adjust(0)
      assert.lengthOf(urls(), 2)
    }))

  it.effect.prop("C21 is the answer to the last question, in any order of questions, waits and forgetting", [
    Schema.Array(Schema.Literals(["detect", "forget", 1, 9, 10]))
  ], ([steps]) =>
    Effect.gen(function*() {
      const { detect, forget, urls } = yield* make({
        versions: (nth) => Effect.sync(json(200, { versions: ["v1.7", String(nth)] }))
      }, { describe: false, timeToLive: "10 seconds" })
      let asked = 0
      let rememberedUntil = 0
      let now = 0
      for (const step of steps) {
        if (step === "forget") {
          yield* forget
          rememberedUntil = now
        } else if (step === "detect") {
          if (now >= rememberedUntil) {
            asked += 1
            rememberedUntil = now + 10
          }
          assert.deepStrictEqual((yield* detect).versions, ["v1.7", String(asked - 1)])
        } else {
          now += step
          yield* TestClock.adjust(`${step} seconds`)
        }
        assert.lengthOf(urls(), asked)
      }
    }))
})

describe("layer", () => {
  it.effect("C21 asks one homeserver", () =>
    Effect.gen(function*() {
      const { detect } = yield* Detection.Detection
      assert.strictEqual((yield* detect).path, "stable")
    }).pipe(
      Effect.provide(Detection.Detection.layer({ homeserver })),
      Effect.provideService(HttpClient.HttpClient, stubOf().stub.client)
    ))
})
