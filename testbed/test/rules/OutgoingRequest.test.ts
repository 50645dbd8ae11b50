/** What a homeserver's call looks like on the wire: A1, A8, D8 and D11, over every transport. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { networkInterfaces } from "node:os"
import { assertHomeserverError, assertPingSucceeded } from "./support/Answers.ts"
import * as Fixture from "./support/Fixture.ts"
import * as Http from "./support/Http.ts"
import { nodeListener } from "./support/Mounts.ts"
import * as Pair from "./support/Pair.ts"
import * as RawClient from "./support/RawClient.ts"
import * as RecordingServer from "./support/RecordingServer.ts"
import { transports } from "./support/Transports.ts"

const hasIpv6 = Object.values(networkInterfaces()).flat().some((address) => address?.address === "::1")

/** The request that the only call so far has brought. */
const onlyRequest = (appservice: RecordingServer.RecordingServer): Http.Message => {
  const [call, ...others] = appservice.requests()
  assert.isEmpty(others)
  if (call === undefined) return assert.fail("no call was made")
  return call.request()
}

/** Lets what is under way on the sockets of this process arrive. */
const tick = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

for (const transport of transports) {
  const start = (options: Pair.PairOptions = {}) => Pair.start(nodeListener, { transport: transport.layer, ...options })

  describe(`over ${transport.name}`, () => {
    it.effect("A1 sends the hs_token as a bearer token, and exactly these headers", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* start()
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping({ body: "{\"transaction_id\":\"x\"}" })))
        const request = onlyRequest(appservice)
        assert.strictEqual(request.startLine, "POST /_matrix/app/v1/ping HTTP/1.1")
        const sorted = (headers: Http.RawHeaders) =>
          headers.map(([name, value]) => `${name.toLowerCase()}: ${value}`).toSorted()
        assert.deepStrictEqual(
          sorted(request.headers),
          sorted([
            ...transport.ownHeaders,
            ["host", `127.0.0.1:${appservice.port}`],
            ["connection", "close"],
            ["authorization", `Bearer ${Fixture.tokens.hs}`],
            ["content-type", "application/json"],
            ["accept", "application/json"],
            ["accept-encoding", "identity"],
            ["content-length", "22"]
          ])
        )
        assert.strictEqual(request.body.toString(), "{\"transaction_id\":\"x\"}")
        assert.strictEqual(request.rest.length, 0)
      }))

    it.effect("A1 keeps the query empty, unless the appservice is a legacy one", () =>
      Effect.gen(function*() {
        for (const legacyAuthorization of [false, undefined]) {
          const { appservice, port } = yield* start({
            outgoing: legacyAuthorization === undefined ? {} : { legacyAuthorization }
          })
          assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
          assert.strictEqual(onlyRequest(appservice).startLine, "POST /_matrix/app/v1/ping HTTP/1.1")
        }
      }))

    for (
      const [name, hsToken, url] of [
        ["plain", Fixture.tokens.hs, ""],
        ["with every special character", "a b+c/d=e&f%g?h#", ""],
        ["beside the url's own query", Fixture.tokens.hs, "/bridge?x=1&y=%20"],
        ["in the place of an access_token in the url", Fixture.tokens.hs, "?access_token=old"]
      ] as const
    ) {
      it.effect(`A1 sends the hs_token of a legacy appservice in the query too, percent-encoded: ${name}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* start({
            outgoing: { legacyAuthorization: true },
            hsToken,
            url: (origin) => origin + url
          })
          assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
          const request = onlyRequest(appservice)
          assert.match(request.startLine, /^POST [!-~]+ HTTP\/1\.1$/)
          const target = new URL(request.startLine.split(" ")[1] ?? "", "http://x")
          assert.deepStrictEqual(target.searchParams.getAll("access_token"), [hsToken])
          if (url.includes("x=1")) assert.strictEqual(target.searchParams.get("x"), "1")
          assert.strictEqual(request.header("authorization"), `Bearer ${hsToken}`)
        }))
    }

    it.effect("A1 sends an hs_token beyond ASCII as Latin-1", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* start({ hsToken: "hs-täkén", outgoing: { legacyAuthorization: true } })
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
        const request = onlyRequest(appservice)
        assert.strictEqual(request.startLine, "POST /_matrix/app/v1/ping?access_token=hs-t%C3%A4k%C3%A9n HTTP/1.1")
        assert.strictEqual(request.header("authorization"), "Bearer hs-täkén")
      }))

    it.effect("A1 answers 502 M_CONNECTION_FAILED where no header can carry the hs_token", () =>
      Effect.gen(function*() {
        for (const hsToken of ["hs-canary-\u2603", "hs-canary-\r\nX-Evil: 1", "hs-canary-\u0000"]) {
          const { appservice, port } = yield* start({ hsToken })
          const error = assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_CONNECTION_FAILED")
          assert.include(error, "hs_token")
          assert.notInclude(error, "canary")
          assert.strictEqual(appservice.calls.length, 0)
        }
      }))

    for (
      const [suffix, target] of [
        ["", "/_matrix/app/v1/ping"],
        ["/", "/_matrix/app/v1/ping"],
        ["///", "/_matrix/app/v1/ping"],
        ["/bridge", "/bridge/_matrix/app/v1/ping"],
        ["/bridge/", "/bridge/_matrix/app/v1/ping"],
        ["/bridge//", "/bridge/_matrix/app/v1/ping"],
        ["/a/b/c/", "/a/b/c/_matrix/app/v1/ping"],
        ["/a/../b/./", "/b/_matrix/app/v1/ping"],
        ["/br%C3%BCcke/a%2Fb", "/br%C3%BCcke/a%2Fb/_matrix/app/v1/ping"],
        ["/brücke", "/br%C3%BCcke/_matrix/app/v1/ping"],
        ["?x=1", "/_matrix/app/v1/ping?x=1"],
        ["/bridge/?x=1&y=a%2Fb#part", "/bridge/_matrix/app/v1/ping?x=1&y=a%2Fb"]
      ] as const
    ) {
      it.effect(`A8 joins the url's path without //: ${JSON.stringify(suffix)}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* start({ url: (origin) => origin + suffix })
          assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
          assert.strictEqual(onlyRequest(appservice).startLine, `POST ${target} HTTP/1.1`)
          assert.strictEqual(onlyRequest(appservice).header("host"), `127.0.0.1:${appservice.port}`)
        }))
    }

    it.effect("A8 takes scheme and host in capital letters", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* start({
          url: (origin) => origin.replace("http://127.0.0.1", "HTTP://LOCALHOST")
        })
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
        assert.strictEqual(onlyRequest(appservice).header("host"), `localhost:${appservice.port}`)
      }))

    it.effect("A8 sends no userinfo of the url, neither in the target nor as Basic authorization", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* start({
          url: (origin) => origin.replace("http://", "http://user-canary:password-canary@")
        })
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
        const bytes = appservice.requests()[0]?.bytes().toString() ?? ""
        assert.strictEqual(onlyRequest(appservice).header("authorization"), `Bearer ${Fixture.tokens.hs}`)
        assert.notInclude(bytes, "user-canary")
        assert.notInclude(bytes, "password-canary")
        assert.notInclude(bytes, "Basic")
      }))

    it.effect.skipIf(!hasIpv6)("A8 takes an IPv6 address", () =>
      Effect.gen(function*() {
        const appservice = yield* RecordingServer.make([Http.response(200)], { host: "::1" })
        const port = yield* nodeListener.homeserver({
          registrations: [Fixture.registration({ url: `${appservice.url}/bridge/` })],
          transport: transport.layer
        })
        assertPingSucceeded(yield* RawClient.send(port, Fixture.ping()))
        assert.strictEqual(onlyRequest(appservice).startLine, "POST /bridge/_matrix/app/v1/ping HTTP/1.1")
        assert.strictEqual(onlyRequest(appservice).header("host"), `[::1]:${appservice.port}`)
      }))

    it.effect("A8 answers 502 M_CONNECTION_FAILED where the url is none, although registrations are checked", () =>
      Effect.gen(function*() {
        for (const url of ["127.0.0.1:29317", "ftp://127.0.0.1/", "http://", "matrix.example"]) {
          const { port } = yield* start({ url: () => url })
          const error = assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_CONNECTION_FAILED")
          assert.include(error, "not an http or https URL")
        }
      }))

    it.effect("D8 sends no Referer, no Origin, no cookie and no trace header", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* start({
          steps: [Http.response(200, "{}", [["Set-Cookie", "a=1"]])],
          url: (origin) => `${origin}/bridge?query-canary=1`
        })
        const bytes = Http.request({
          target: Fixture.path(),
          headers: [
            Fixture.bearer(Fixture.tokens.as),
            ["Cookie", "b=2"],
            ["Referer", "https://app.example/?secret"],
            ["Origin", "https://app.example"],
            ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
            ["X-Forwarded-For", "192.0.2.1"]
          ],
          body: "{}"
        })
        for (let i = 0; i < 2; i++) assertPingSucceeded(yield* RawClient.send(port, bytes))
        for (const call of appservice.requests()) {
          for (const name of ["referer", "origin", "cookie", "traceparent", "b3", "x-b3-traceid", "x-forwarded-for"]) {
            assert.isUndefined(call.request().header(name), name)
          }
        }
      }))

    it.effect("D11 opens a new connection for each ping, says so, and closes it", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* start({
          // An appservice that would keep the connection.
          steps: [Http.response(200, "{}", [["Connection", "keep-alive"], ["Keep-Alive", "timeout=60"]])]
        })
        for (let i = 1; i <= 3; i++) {
          assertPingSucceeded(yield* RawClient.send(port, Fixture.ping({ body: `{"transaction_id":"${i}"}` })))
          yield* appservice.calls[i - 1]?.released ?? Effect.die("no connection was opened")
        }
        assert.deepStrictEqual(
          appservice.calls.map((call) => [call.request().body.toString(), call.request().rest.length]),
          [["{\"transaction_id\":\"1\"}", 0], ["{\"transaction_id\":\"2\"}", 0], ["{\"transaction_id\":\"3\"}", 0]]
        )
        for (const call of appservice.calls) assert.strictEqual(call.request().header("connection"), "close")
      }))

    it.effect("D11 opens a connection of its own for each of many pings at once", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* start({ steps: [] })
        const fibers = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, i) => Fixture.ping({ body: `{"transaction_id":"${i}"}` })),
          (bytes) => Effect.forkChild(RawClient.send(port, bytes))
        )
        const calls = yield* Effect.forEach(fibers, () => appservice.next)
        for (const call of calls) yield* call.write(Http.response(200))
        for (const fiber of fibers) assertPingSucceeded(yield* Fiber.join(fiber))
        const bodies = appservice.calls.map((call) => call.request().body.toString())
        assert.strictEqual(new Set(bodies).size, 20)
        assert.strictEqual(bodies.length, 20)
      }))

    // A limit of `fetch`: its pool belongs to the process, so that a ping may ride on a connection which the app's own
    // requests to the appservice have left open. `fails` turns red once that is no longer so.
    const ownConnection = transport.pools ? it.effect.fails : it.effect
    ownConnection("D11 does not use a connection that others have left open", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* start({ steps: [] })
        const other = yield* Effect.forkChild(Effect.promise(() => fetch(appservice.url).then((r) => r.text())))
        yield* (yield* appservice.next).write(Http.response(200))
        yield* Fiber.join(other)
        // By now `fetch` has put the connection back.
        yield* tick
        const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
        const carrier = () => appservice.requests().find((call) => call.bytes().includes("POST "))
        while (carrier() === undefined) yield* tick
        yield* carrier()?.write(Http.response(200)) ?? Effect.void
        assertPingSucceeded(yield* Fiber.join(fiber))
        assert.strictEqual(appservice.requests().length, 2)
      }))

    for (const status of [307, 401, 407, 408, 421, 425, 429, 500, 502, 503, 504]) {
      // Another limit of `fetch`, which the Fetch Standard asks for.
      const test = transport.ownStatuses.includes(status) ? it.effect.fails : it.effect
      test(`D11 asks once, also where the appservice answers ${status} and says to try again`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* start({
            steps: [Http.response(status, "{}", [
              ["Retry-After", "0"],
              ["Location", "/_matrix/app/v1/ping"],
              ["WWW-Authenticate", "Bearer"]
            ])]
          })
          const badStatus = { status, body: "{}" }
          assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_BAD_STATUS", badStatus)
          assert.strictEqual(appservice.requests().length, 1)
          // The next ping is a new one, not held back by the last.
          assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 502, "M_BAD_STATUS", badStatus)
          assert.strictEqual(appservice.requests().length, 2)
        }))
    }
  })
}
