import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { run, type Running, start } from "./support/Cli.ts"
import { assertNoToken, canaries, writeRegistration } from "./support/files.ts"
import * as InProcess from "./support/inProcess.ts"
import { answering, listen, taken } from "./support/servers.ts"

const watch = (homeserver: string, files: ReadonlyArray<string>, ...args: ReadonlyArray<string>) =>
  start([
    "watch",
    ...files.flatMap((file) => ["--registration", file]),
    "--homeserver",
    homeserver,
    "--interval",
    "100 millis",
    ...args
  ])

const get = (url: string, method = "GET") =>
  Effect.promise(async () => {
    const response = await fetch(url, { method })
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      body: await response.text()
    }
  })

/** Waits until that many pings have arrived. */
const received = ({ received }: InProcess.InProcess, count: number) =>
  Effect.promise(async () => {
    while (received.length < count) await new Promise((resolve) => setImmediate(resolve))
  })

const metricsOf = (running: Running) =>
  Effect.map(running.printed(/^metrics ready at (http:\/\/127\.0\.0\.1:\d+)\/metrics$/m), ([, origin = ""]) => origin)

/** One appservice that is reached, and one that the homeserver does not know. */
const site = Effect.gen(function*() {
  const appservice = yield* InProcess.appservice()
  const good = yield* writeRegistration({ url: appservice.origin })
  const stranger = yield* writeRegistration({ id: "signal", as_token: `${canaries.as_token}_unknown` })
  return { appservice, good, stranger, homeserver: yield* InProcess.homeserver({ url: appservice.origin }) }
})

describe("watch", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it.effect(`prints a line for each change and none for each ping, and ${signal} ends it with exit code 0`, () =>
      Effect.gen(function*() {
        const { appservice, good, homeserver, stranger } = yield* site
        const running = yield* watch(homeserver, [good, stranger])
        yield* running.printed(/^\S+Z telegram healthy: the homeserver reached the appservice in \d+ ms$/m)
        yield* running.printed(/^\S+Z signal failing: M_UNKNOWN_TOKEN: .* Who must act: homeserver admin\.$/m)
        yield* received(appservice, 3)
        yield* running.kill(signal)
        const { code, stderr, stdout } = yield* running.ended
        assert.lengthOf(stdout.trimEnd().split("\n"), 2)
        assert.notInclude(stdout, "\u001b")
        assertNoToken(stdout + stderr)
        assert.strictEqual(stderr, "")
        assert.strictEqual(code, 0)
      }))
  }

  it.effect("tells of the end of an appservice, and of its return", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { origin: url } = yield* Effect.provideService(InProcess.appservice(), Scope.Scope, scope)
      const homeserver = yield* InProcess.homeserver({ url })
      const running = yield* watch(homeserver, [yield* writeRegistration({ url })])
      yield* running.printed(/telegram healthy/)
      yield* Scope.close(scope, Exit.void)
      yield* running.printed(/telegram failing: M_CONNECTION_FAILED: Nothing listens/)
      yield* InProcess.appservice(Number(new URL(url).port))
      yield* running.printed(/telegram recovered: after \d+(ms|s), the homeserver reached/)
    }))

  it.effect("--json prints a line for each ping", () =>
    Effect.gen(function*() {
      const { good, homeserver, stranger } = yield* site
      const running = yield* watch(homeserver, [good, stranger], "--json")
      yield* running.printed(/("verdict":"success"[^\n]*\n[^]*){3}/)
      yield* running.printed(/("verdict":"M_UNKNOWN_TOKEN"[^\n]*\n[^]*){2}/)
      yield* running.kill("SIGTERM")
      const { code, stdout } = yield* running.ended
      assert.strictEqual(code, 0)
      const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
      const own = events.filter(({ appservice }) => appservice === "telegram")
      assert.deepStrictEqual(own.map(({ changed }) => changed).slice(0, 2), [true, false])
      for (const event of events) {
        assert.strictEqual(event.event, "ping")
        assert.strictEqual(event.homeserver, new URL(homeserver).host)
      }
    }))

  it.effect("--metrics serves Prometheus, and the probes of an orchestrator, on loopback", () =>
    Effect.gen(function*() {
      const { good, homeserver, stranger } = yield* site
      const running = yield* watch(homeserver, [good, stranger], "--metrics", "0")
      const origin = yield* metricsOf(running)
      yield* running.printed(/telegram healthy[^]*signal failing|signal failing[^]*telegram healthy/)

      const metrics = yield* get(`${origin}/metrics`)
      assert.strictEqual(metrics.status, 200)
      assert.strictEqual(metrics.type, "text/plain; version=0.0.4; charset=utf-8")
      const host = new URL(homeserver).host
      assert.include(metrics.body, `appservice_ping_health{appservice="telegram",homeserver="${host}"} 1`)
      assert.include(metrics.body, `appservice_ping_health{appservice="signal",homeserver="${host}"} 2`)
      assert.match(metrics.body, /^appservice_ping_attempts_total\{.*verdict="M_UNKNOWN_TOKEN"\} [1-9]/m)

      const ready = yield* get(`${origin}/ready?x=1`)
      assert.strictEqual(ready.status, 503)
      assert.isFalse(JSON.parse(ready.body).ready)
      assert.match(JSON.parse(ready.body).reasons[0], /^"signal": The homeserver does not know the as_token/)
      assert.deepStrictEqual(yield* get(`${origin}/healthz`), {
        status: 200,
        type: "text/plain; charset=utf-8",
        body: "ok\n"
      })
      assert.strictEqual((yield* get(`${origin}/healthz`, "HEAD")).status, 200)
      assert.strictEqual((yield* get(`${origin}/metrics`, "POST")).status, 405)
      assert.strictEqual((yield* get(`${origin}/`)).status, 404)
    }))

  it.effect("is ready when every appservice is reached", () =>
    Effect.gen(function*() {
      const { good, homeserver } = yield* site
      const running = yield* watch(homeserver, [good], "--metrics", "0")
      const origin = yield* metricsOf(running)
      yield* running.printed(/telegram healthy/)
      const ready = yield* get(`${origin}/ready`)
      assert.deepStrictEqual([ready.status, JSON.parse(ready.body)], [200, { ready: true, reasons: [] }])
    }))

  it.effect("a homeserver that is too old for the ping is failing, and says so", () =>
    Effect.gen(function*() {
      const old = yield* answering(200, "{\"versions\":[\"v1.6\"]}")
      const running = yield* watch(old.url, [yield* writeRegistration()])
      yield* running.printed(/telegram failing: PingUnsupported: .*v1\.7/)
    }))

  it.effect("C22 asks again for the path of the ping where an update of the homeserver has taken it away", () =>
    Effect.gen(function*() {
      let isNew = false
      const answerTo = (path: string): readonly [status: number, body: string] => {
        if (path.endsWith("/versions")) {
          return [
            200,
            isNew ? "{\"versions\":[\"v1.7\"]}" : "{\"versions\":[],\"unstable_features\":{\"fi.mau.msc2659\":true}}"
          ]
        }
        return path.includes("/unstable/") === isNew
          ? [404, "{\"errcode\":\"M_UNRECOGNIZED\"}"]
          : [200, "{\"duration_ms\":1}"]
      }
      const homeserver = yield* listen((socket, text) => {
        const [, path = ""] = text.split(" ", 2)
        const [status, body] = answerTo(path)
        socket.end(`HTTP/1.1 ${status} X\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`)
      })
      const running = yield* watch(homeserver.url, [yield* writeRegistration()])
      yield* running.printed(/telegram healthy/)
      isNew = true
      yield* running.printed(/telegram failing: M_UNRECOGNIZED/)
      yield* running.printed(/telegram recovered/)
    }))

  it.effect("two registrations with one id are wrong usage", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* writeRegistration(), yield* writeRegistration()]
      const { code, stderr, stdout } = yield* run([
        "watch",
        "--registration",
        one,
        "--registration",
        two,
        "--homeserver",
        "http://127.0.0.1:1"
      ])
      assert.strictEqual(stderr, `${two}: there is another registration with the id "telegram"\n`)
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 2)
    }))

  it.effect("a port of --metrics that is taken is one line on stderr and exit code 1", () =>
    Effect.gen(function*() {
      const { port } = yield* taken
      const { code, stderr, stdout } = yield* run([
        "watch",
        "--registration",
        yield* writeRegistration(),
        "--homeserver",
        "http://127.0.0.1:1",
        "--metrics",
        `${port}`
      ])
      assert.include(stderr, `cannot listen on 127.0.0.1:${port}: the port is taken`)
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 1)
    }))
})
