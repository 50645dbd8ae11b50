import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run, start, startAppservice, startHomeserver } from "./support/Cli.ts"
import { canaries, writeRegistration } from "./support/files.ts"
import { taken } from "./support/servers.ts"

const ready = /^appservice ready at (http:\/\/127\.0\.0\.1:\d+)(\S*)$/m

const ping = (url: string, body: string, token: string = canaries.hs_token) =>
  Effect.promise(async () => {
    const response = await fetch(url, { method: "POST", headers: { authorization: `Bearer ${token}` }, body })
    return { status: response.status, body: await response.text() }
  })

describe("appservice", () => {
  it.effect("A5 answers a ping, and prints one line for each with its transaction id", () =>
    Effect.gen(function*() {
      const file = yield* writeRegistration()
      const running = yield* startAppservice("--registration", file)
      const { origin } = running
      const endpoint = `${origin}/_matrix/app/v1/ping`
      assert.deepStrictEqual(yield* ping(endpoint, "{\"transaction_id\":\"one\"}"), { status: 200, body: "{}" })
      assert.strictEqual((yield* ping(endpoint, "{}")).status, 200)
      assert.strictEqual((yield* ping(endpoint, "{\"transaction_id\":\"\"}")).status, 200)
      assert.strictEqual((yield* ping(endpoint, "{}", "wrong")).status, 403)
      yield* running.kill("SIGTERM")
      const { code, stderr, stdout } = yield* running.ended
      assert.strictEqual(
        stdout,
        [
          `appservice ready at ${origin}`,
          "ping received with transaction id \"one\"",
          "ping received without a transaction id",
          "ping received with transaction id \"\"",
          ""
        ].join("\n")
      )
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)
    }))

  it.effect("a transaction id reaches the terminal in one line of bounded length, its control characters escaped", () =>
    Effect.gen(function*() {
      const file = yield* writeRegistration()
      const running = yield* startAppservice("--registration", file)
      const { origin } = running
      const endpoint = `${origin}/_matrix/app/v1/ping`
      yield* ping(endpoint, JSON.stringify({ transaction_id: "a\n\u001b[2J\"\\\u202e\u0085b\ud800ü🙂" }))
      yield* ping(endpoint, JSON.stringify({ transaction_id: "x".repeat(100_000) }))
      yield* running.kill("SIGTERM")
      const { stdout } = yield* running.ended
      const [, odd, long, ...rest] = stdout.split("\n")
      assert.strictEqual(
        odd,
        "ping received with transaction id \"a\\u{a}\\u{1b}[2J\\\"\\\\\\u{202e}\\u{85}b\\u{d800}ü🙂\""
      )
      assert.strictEqual(long, `ping received with transaction id "${"x".repeat(128)}"… (100000 characters)`)
      assert.deepStrictEqual(rest, [""])
    }))

  it.effect("goes on when nobody reads its output any more", () =>
    Effect.gen(function*() {
      const file = yield* writeRegistration()
      const running = yield* startAppservice("--registration", file)
      const { origin } = running
      yield* running.deafen
      for (let i = 0; i < 5; i++) {
        assert.strictEqual((yield* ping(`${origin}/_matrix/app/v1/ping`, "{}")).status, 200)
      }
      yield* running.kill("SIGTERM")
      assert.strictEqual((yield* running.ended).code, 0)
    }))

  for (const path of ["/bridge/", "/bridge", "/a/b%20c/"]) {
    it.effect(`A8 a url with the path ${path} is where the pings arrive`, () =>
      Effect.gen(function*() {
        const file = yield* writeRegistration({ url: `http://127.0.0.1:29317${path}` })
        const running = yield* startAppservice("--registration", file)
        const base = `${running.origin}${running.path}`
        assert.strictEqual(running.path, path.replace(/\/$/, ""))
        assert.strictEqual((yield* ping(`${base}/_matrix/app/v1/ping`, "{}")).status, 200)
        assert.strictEqual((yield* ping(`${base}x/_matrix/app/v1/ping`, "{}")).status, 404)
      }))
  }

  it.effect("listens where the url of the registration says", () =>
    Effect.gen(function*() {
      // The port was free a moment ago; whoever takes it meanwhile makes the command fail, not hang.
      const { port } = yield* Effect.scoped(taken)
      const file = yield* writeRegistration({ url: `http://127.0.0.1:${port}` })
      const running = yield* start(["appservice", "--registration", file])
      const [, origin] = yield* running.printed(ready)
      assert.strictEqual(origin, `http://127.0.0.1:${port}`)
    }))

  const refused: ReadonlyArray<readonly [title: string, url: string | null, message: string, code: number]> = [
    ["a url that is null", null, "url is empty; pass --port to say where to listen", 2],
    ["a url that is empty", "", "url is empty; pass --port to say where to listen", 2],
    [
      "an https url",
      "https://127.0.0.1",
      "url is https, and this appservice speaks plain http behind a proxy; pass --host and --port to say where",
      2
    ],
    [
      "a url that is another machine's",
      "http://192.0.2.1:29317",
      "url leads to 192.0.2.1, which is no address of this machine; pass --host and --port to say where to listen",
      2
    ],
    [
      "a url whose host is not known here",
      "http://bridge.invalid:29317",
      "url leads to bridge.invalid, which is no address of this machine; pass --host and --port to say where to listen",
      2
    ]
  ]

  for (const [title, url, message, expected] of refused) {
    it.effect(`${title}: says what to pass`, () =>
      Effect.gen(function*() {
        const file = yield* writeRegistration({ url })
        const { code, stderr, stdout } = yield* run(["appservice", "--registration", file])
        assert.strictEqual(stderr, `${file}: ${message}\n`)
        assert.strictEqual(stdout, "")
        assert.strictEqual(code, expected)
      }))
  }

  it.effect("--host and --port say where to listen instead", () =>
    Effect.gen(function*() {
      const file = yield* writeRegistration({ url: "https://bridge.invalid/bridge" })
      const running = yield* start(["appservice", "--registration", file, "--host", "127.0.0.1", "--port", "0"])
      const [, origin] = yield* running.printed(ready)
      assert.strictEqual((yield* ping(`${origin}/bridge/_matrix/app/v1/ping`, "{}")).status, 200)
      // A proxy in front may have taken the path off.
      assert.strictEqual((yield* ping(`${origin}/_matrix/app/v1/ping`, "{}")).status, 200)
    }))

  it.effect("a --host that is no address of this machine is one line on stderr and exit code 1", () =>
    Effect.gen(function*() {
      const file = yield* writeRegistration()
      const { code, stderr } = yield* run(["appservice", "--registration", file, "--host", "192.0.2.1", "--port", "0"])
      assert.match(stderr, /^cannot listen on 192\.0\.2\.1:0: this machine has no such address; .*\n$/)
      assert.strictEqual(code, 1)
    }))

  it.effect("a port that is taken is one line on stderr and exit code 1", () =>
    Effect.gen(function*() {
      const { port } = yield* taken
      const file = yield* writeRegistration({ url: `http://127.0.0.1:${port}` })
      const { code, stderr } = yield* run(["appservice", "--registration", file])
      assert.include(stderr, `cannot listen on 127.0.0.1:${port}: the port is taken`)
      assert.strictEqual(code, 1)
    }))
})

describe("the three commands together", () => {
  it.effect("a ping goes from the client over the homeserver to the appservice and back", () =>
    Effect.gen(function*() {
      const draft = yield* writeRegistration({ url: "http://127.0.0.1:29317/bridge/" })
      const appservice = yield* startAppservice("--registration", draft)
      const file = yield* writeRegistration({ url: `${appservice.origin}/bridge/` })
      const { origin } = yield* startHomeserver("--registration", file)

      const { code, stderr, stdout } = yield* run([
        "ping",
        "--registration",
        file,
        "--homeserver",
        origin,
        "--transaction-id",
        "end to end"
      ])
      assert.strictEqual(stderr, "")
      assert.match(stdout, /reached the appservice in \d+ ms\n$/)
      assert.strictEqual(code, 0)
      yield* appservice.printed(/^ping received with transaction id "end to end"$/m)

      yield* appservice.kill("SIGINT")
      assert.strictEqual((yield* appservice.ended).code, 0)
      const refused = yield* run(["ping", "--registration", file, "--homeserver", origin, "--json"])
      assert.strictEqual(JSON.parse(refused.stdout).errcode, "M_CONNECTION_FAILED")
      assert.strictEqual(refused.code, 1)
    }))
})
