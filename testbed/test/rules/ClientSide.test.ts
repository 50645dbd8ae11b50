/** The client's half: C18, C19, C21 and A10 on raw sockets, and whole exchanges over every mount. */
import * as Gate from "@appservice-ping/client/Gate"
import * as Homeserver from "@appservice-ping/client/Homeserver"
import * as Ping from "@appservice-ping/client/Ping"
import type { PingError } from "@appservice-ping/domain/PingError"
import type { TransportError } from "@appservice-ping/domain/TransportError"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as Fixture from "./support/Fixture.ts"
import * as Http from "./support/Http.ts"
import { type Mount, mounts } from "./support/Mounts.ts"
import * as Pair from "./support/Pair.ts"
import { FIN, make, type RecordingServer, RST, type Step } from "./support/RecordingServer.ts"

const client = NodeHttpClient.layerNodeHttp

const of = (homeserver: string, asToken: string = Fixture.tokens.as): Ping.PingOptions => ({
  homeserver: new URL(homeserver),
  registration: Fixture.registration({ asToken }),
  transactionId: "mine"
})

/** A ping of a homeserver that answers these bytes: the error, and the requests it has seen. */
const errorOf = (steps: ReadonlyArray<Step>) =>
  Effect.gen(function*() {
    const homeserver = yield* make(steps)
    const error = yield* Effect.flip(Ping.ping(of(homeserver.url))).pipe(Effect.provide(client))
    assert.strictEqual(homeserver.requests().length, 1)
    return error
  })

const matrixError = (status: number, body: object, headers: Http.RawHeaders = []): Buffer =>
  Http.response(status, JSON.stringify(body), headers)

const retryAfterOf = (error: PingError | TransportError): number | undefined =>
  "retryAfter" in error && error.retryAfter !== undefined ? Duration.toMillis(error.retryAfter) : undefined

describe("a client of any homeserver", () => {
  for (
    const [name, headers, body, millis] of [
      ["Retry-After in seconds", [["Retry-After", "7"]], {}, 7000],
      ["Retry-After as a date", [["Retry-After", "Thu, 01 Jan 1970 00:00:09 GMT"]], {}, 9000],
      ["the deprecated retry_after_ms", [], { retry_after_ms: 1500 }, 1500],
      ["both, of which the header comes first", [["Retry-After", "2"]], { retry_after_ms: 60_000 }, 2000],
      ["a header that says nothing, and retry_after_ms", [["Retry-After", "soon"]], { retry_after_ms: 3000 }, 3000],
      ["neither", [], {}, undefined]
    ] as const
  ) {
    it.effect(`C18 reads ${name}`, () =>
      Effect.gen(function*() {
        // The test's clock stands at the epoch, where a date is measured from.
        const error = yield* errorOf([
          matrixError(429, { errcode: "M_LIMIT_EXCEEDED", error: "slow", ...body }, headers)
        ])
        assert.strictEqual(error._tag, "M_LIMIT_EXCEEDED")
        assert.strictEqual(retryAfterOf(error), millis)
      }))
  }

  for (
    const [status, errcode] of [
      [401, "M_USER_LOCKED"],
      [403, "M_USER_SUSPENDED"],
      [500, "M_UNKNOWN"],
      [403, "M_RESOURCE_LIMIT_EXCEEDED"],
      [403, "M_USER_LIMIT_EXCEEDED"],
      [404, "M_NOT_FOUND"],
      [400, "M_INVALID_PARAM"],
      [413, "M_TOO_LARGE"],
      [400, "M_UNKNOWN_DEVICE"],
      [418, "COM.EXAMPLE_X"],
      [599, "constructor"]
    ] as const
  ) {
    it.effect(`C19 survives ${status} ${errcode}, and keeps it`, () =>
      Effect.gen(function*() {
        for (const error of [{}, { error: "text" }, { error: null }, { error: { nested: 1 } }]) {
          const found = yield* errorOf([matrixError(status, { errcode, ...error })])
          assert.strictEqual(found._tag, "OtherErrcode")
          if (found._tag === "OtherErrcode") assert.deepInclude({ ...found }, { errcode, status })
        }
      }))
  }

  for (
    const [status, body] of [
      [401, { errcode: "M_USER_LOCKED", error: "locked", soft_logout: true }],
      [403, { errcode: "M_USER_SUSPENDED", error: "suspended" }]
    ] as const
  ) {
    it.effect(`C29 takes ${status} ${body.errcode} for no unknown token, and for no foreign one`, () =>
      Effect.gen(function*() {
        const error = yield* errorOf([matrixError(status, body)])
        assert.strictEqual(error._tag, "OtherErrcode")
        assert.deepInclude({ ...error }, { errcode: body.errcode, status })
      }))
  }

  for (
    const [errcode, field] of [["M_RESOURCE_LIMIT_EXCEEDED", "admin_contact"], ["M_USER_LIMIT_EXCEEDED", "info_uri"]]
  ) {
    it.effect(`C31 reads ${errcode} with ${field}, and without`, () =>
      Effect.gen(function*() {
        for (const extra of [{ [field ?? ""]: "mailto:admin@matrix.example" }, {}]) {
          const error = yield* errorOf([matrixError(403, { errcode, error: "a limit", ...extra })])
          assert.deepInclude({ ...error }, { errcode, status: 403, error: "a limit" })
        }
      }))
  }

  for (
    const [status, errcode, tag] of [
      [500, "M_FORBIDDEN", "M_FORBIDDEN"],
      [400, "M_LIMIT_EXCEEDED", "M_LIMIT_EXCEEDED"],
      [400, "M_UNKNOWN_TOKEN", "M_UNKNOWN_TOKEN"],
      [403, "M_CONNECTION_FAILED", "M_CONNECTION_FAILED"],
      [429, "M_UNKNOWN", "OtherErrcode"],
      [404, "M_UNKNOWN", "OtherErrcode"]
    ] as const
  ) {
    it.effect(`C32 judges ${status} ${errcode} by its errcode${tag === "OtherErrcode" ? ", and keeps the status" : ""}`, () =>
      Effect.gen(function*() {
        const error = yield* errorOf([matrixError(status, { errcode, error: "text" })])
        assert.strictEqual(error._tag, tag)
        if (error._tag === "OtherErrcode") assert.deepInclude({ ...error }, { errcode, status })
      }))
  }

  it.effect("C30 asks for the versions with the token that it is given, and without one else", () =>
    Effect.gen(function*() {
      const homeserver = yield* make([Http.response(200, "{\"versions\":[\"v1.7\"]}")])
      const at = { homeserver: new URL(homeserver.url) }
      yield* Homeserver.versions({ ...at, token: Redacted.make(Fixture.tokens.as) }).pipe(Effect.provide(client))
      yield* Homeserver.versions(at).pipe(Effect.provide(client))
      const headers = homeserver.requests().map((call) => call.request().header("authorization"))
      assert.deepStrictEqual(headers, [`Bearer ${Fixture.tokens.as}`, undefined])
    }))

  it.effect("C35 speaks TLS to an https homeserver before it says a word", () =>
    Effect.gen(function*() {
      const homeserver = yield* make([], { onData: [FIN] })
      const error = yield* Effect.flip(Ping.ping(of(homeserver.url.replace("http:", "https:")))).pipe(
        Effect.provide(client)
      )
      assert.strictEqual(error._tag, "HomeserverUnreachable")
      const [call] = homeserver.calls
      // A handshake record of TLS.
      assert.strictEqual(call?.bytes()[0], 0x16)
      assert.notInclude(call?.bytes().toString("latin1") ?? "", Fixture.tokens.as)
    }))

  it.effect("C24 sends its transaction_id in UTF-8", () =>
    Effect.gen(function*() {
      const homeserver = yield* make([Http.response(200, "{\"duration_ms\":1}")])
      yield* Ping.ping({ ...of(homeserver.url), transactionId: "ü中😀" }).pipe(Effect.provide(client))
      const body = homeserver.requests()[0]?.request().body
      assert.strictEqual(new TextDecoder("utf-8", { fatal: true }).decode(body), "{\"transaction_id\":\"ü中😀\"}")
    }))

  it.effect("C15 accepts an error without error, and without a Content-Type", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* errorOf([matrixError(403, { errcode: "M_FORBIDDEN" })]))._tag, "M_FORBIDDEN")
    }))

  it.effect("C22 reads the errcodes of the unstable path as what they mean", () =>
    Effect.gen(function*() {
      for (
        const [errcode, tag] of [
          ["FI.MAU.MSC2659_URL_NOT_SET", "M_URL_NOT_SET"],
          ["FI.MAU.MSC2659_BAD_STATUS", "M_BAD_STATUS"],
          ["FI.MAU.MSC2659_CONNECTION_FAILED", "M_CONNECTION_FAILED"],
          ["FI.MAU.MSC2659_CONNECTION_TIMEOUT", "M_CONNECTION_TIMEOUT"]
        ] as const
      ) {
        assert.strictEqual((yield* errorOf([matrixError(502, { errcode })]))._tag, tag)
      }
    }))

  for (
    const [support, body] of [
      ["stable", { versions: ["r0.6.1", "v1.7"] }],
      ["stable", { versions: ["v1.19"], unstable_features: {} }],
      ["stable", { versions: [], unstable_features: { "fi.mau.msc2659.stable": true } }],
      ["unstable", { versions: ["v1.6"], unstable_features: { "fi.mau.msc2659": true } }],
      ["none", { versions: ["v1.6"], unstable_features: { "fi.mau.msc2659": false } }],
      ["none", { versions: ["r0.6.1"] }]
    ] as const
  ) {
    it.effect(`C21 finds ${support} in ${JSON.stringify(body)}`, () =>
      Effect.gen(function*() {
        const homeserver = yield* make([Http.response(200, JSON.stringify(body))])
        const found = yield* Homeserver.support({ homeserver: new URL(homeserver.url) }).pipe(Effect.provide(client))
        assert.strictEqual(found, support)
        const [call] = homeserver.requests()
        assert.strictEqual(call?.request().startLine, "GET /_matrix/client/versions HTTP/1.1")
        assert.isUndefined(call?.request().header("authorization"))
      }))
  }
})

/** Answers one connection after another with the next of these. */
const inTurn = (homeserver: RecordingServer, answers: ReadonlyArray<ReadonlyArray<Step>>) =>
  Effect.forEach(
    answers,
    (steps) =>
      Effect.flatMap(homeserver.next, (call) =>
        Effect.forEach(steps, (step) => step === FIN ? call.fin : step === RST ? call.reset : call.write(step)))
  )

const success = Http.response(200, "{\"duration_ms\":3}")

describe("an appservice that waits for its homeserver", () => {
  const untilConnected = (homeserver: RecordingServer) =>
    Gate.wait({ ping: Ping.ping(of(homeserver.url)), firstDelay: "0 millis" }).pipe(Effect.provide(client))

  it.effect("A10 does not give up on what passes by itself, and sends the same bytes each time", () =>
    Effect.gen(function*() {
      const homeserver = yield* make()
      const fiber = yield* Effect.forkChild(untilConnected(homeserver))
      yield* inTurn(homeserver, [
        [RST],
        [FIN],
        [matrixError(502, { errcode: "M_CONNECTION_FAILED", error: "refused" })],
        [matrixError(504, { errcode: "M_CONNECTION_TIMEOUT", error: "slow" })],
        [matrixError(429, { errcode: "M_LIMIT_EXCEEDED" }, [["Retry-After", "0"]])],
        [Http.response(503, "<html>starting</html>", [["Content-Type", "text/html"]])],
        ["HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", FIN],
        [success]
      ])
      assert.deepStrictEqual(yield* Fiber.join(fiber), { duration_ms: 3 })
      // Only the trace headers, where there are any, name the attempt.
      const bytes = homeserver.requests().map((call) =>
        call.bytes().toString().replaceAll(/^(traceparent|b3): .*\r\n/gm, "")
      )
      assert.strictEqual(bytes.length, 8)
      assert.strictEqual(new Set(bytes).size, 1)
      assert.include(bytes[0] ?? "", "{\"transaction_id\":\"mine\"}")
    }))

  for (
    const [status, errcode] of [
      [400, "M_URL_NOT_SET"],
      [401, "M_UNKNOWN_TOKEN"],
      [403, "M_FORBIDDEN"],
      [404, "M_UNRECOGNIZED"]
    ] as const
  ) {
    it.effect(`A10 gives up at once on ${errcode}, which only a person can fix`, () =>
      Effect.gen(function*() {
        const homeserver = yield* make([matrixError(status, { errcode })])
        assert.strictEqual((yield* Effect.flip(untilConnected(homeserver))).error._tag, errcode)
        assert.strictEqual(homeserver.requests().length, 1)
      }))
  }
})

/** A whole exchange: client, homeserver on a mount, appservice on a socket. */
const exchange = (mount: Mount, options: Pair.PairOptions & { readonly token?: string }) =>
  Effect.gen(function*() {
    const { appservice, port } = yield* Pair.start(mount, options)
    const result = yield* Ping.ping(of(`http://127.0.0.1:${port}/`, options.token)).pipe(
      Effect.provide(client),
      Effect.result
    )
    return { result, requests: appservice.requests() }
  })

for (const mount of mounts) {
  describe(`on ${mount.name}`, () => {
    it.effect("C9 a success, with the transaction id on both legs", () =>
      Effect.gen(function*() {
        const { requests, result } = yield* exchange(mount, {})
        assert.deepInclude(result, { _tag: "Success", success: { duration_ms: 0 } })
        assert.deepStrictEqual(requests.map((call) => call.request().body.toString()), [
          "{\"transaction_id\":\"mine\"}"
        ])
      }))

    for (
      const [rule, tag, requests, options] of [
        ["C3", "M_UNKNOWN_TOKEN", 0, { token: "unknown-to-all" }],
        ["C4", "M_FORBIDDEN", 0, { token: Fixture.tokens.user }],
        ["C5", "M_FORBIDDEN", 0, { token: Fixture.tokens.otherAs }],
        ["C8", "M_URL_NOT_SET", 0, { url: () => null }],
        ["C10", "M_BAD_STATUS", 1, { steps: [Http.response(403, "{\"errcode\":\"M_FORBIDDEN\"}")] }],
        ["C11", "M_CONNECTION_FAILED", 1, { steps: [RST] }],
        ["C12", "M_CONNECTION_TIMEOUT", 0, { outgoing: { timeout: "0 millis" }, steps: [] }],
        ["C18", "M_LIMIT_EXCEEDED", 0, { options: { maxConcurrentPings: 0 } }]
      ] satisfies ReadonlyArray<readonly [string, string, number, Pair.PairOptions & { readonly token?: string }]>
    ) {
      it.effect(`${rule} is ${tag} to the client`, () =>
        Effect.gen(function*() {
          const found = yield* exchange(mount, options)
          assert.strictEqual(found.result._tag, "Failure")
          if (found.result._tag !== "Failure") return
          const error = found.result.failure
          assert.strictEqual(error._tag, tag)
          // A deadline of nothing strikes before or after the request has left.
          if (tag !== "M_CONNECTION_TIMEOUT") assert.strictEqual(found.requests.length, requests)
          if (error._tag === "M_BAD_STATUS") {
            assert.deepStrictEqual([error.status, error.body], [403, "{\"errcode\":\"M_FORBIDDEN\"}"])
          }
          if (tag === "M_LIMIT_EXCEEDED") assert.strictEqual(retryAfterOf(error), 1000)
          assert.notInclude(String(error), "canary")
        }))
    }

    it.effect("C12 is M_CONNECTION_TIMEOUT to the client at the homeserver's deadline, well before its own", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount, { steps: [] })
        const fiber = yield* Effect.forkChild(
          Effect.flip(Ping.ping(of(`http://127.0.0.1:${port}`))).pipe(Effect.provide(client))
        )
        yield* appservice.next
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "M_CONNECTION_TIMEOUT")
      }))

    it.effect("C21 supports the stable path", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount)
        const homeserver = new URL(`http://127.0.0.1:${port}`)
        assert.strictEqual(yield* Homeserver.support({ homeserver }).pipe(Effect.provide(client)), "stable")
      }))

    it.effect("A2 and A5 bring a ping from the client through a homeserver to an appservice of this project", () =>
      Effect.gen(function*() {
        const received: Array<string | undefined> = []
        const appservice = yield* mount.appservice({
          registration: { hs_token: Redacted.make(Fixture.tokens.hs) },
          onPing: ({ transactionId }) => Effect.sync(() => void received.push(transactionId))
        })
        const url = `http://127.0.0.1:${appservice}`
        for (const [hsToken, expected] of [[Fixture.tokens.hs, "Success"], ["hs-wrong", "Failure"]] as const) {
          const port = yield* mount.homeserver({ registrations: [Fixture.registration({ url, hsToken })] })
          for (const path of ["stable", "unstable"] as const) {
            const result = yield* Ping.ping({ ...of(`http://127.0.0.1:${port}`), path }).pipe(
              Effect.provide(client),
              Effect.result
            )
            assert.strictEqual(result._tag, expected)
            if (result._tag === "Failure" && result.failure._tag === "M_BAD_STATUS") {
              assert.strictEqual(result.failure.status, 403)
              assert.include(result.failure.body ?? "", "M_FORBIDDEN")
            } else assert.strictEqual(expected, "Success")
          }
        }
        assert.deepStrictEqual(received, ["mine", "mine"])
      }))
  })
}
