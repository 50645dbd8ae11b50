import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { connect } from "node:net"
import { run, startHomeserver } from "./support/Cli.ts"
import { assertNoToken, canaries, writeRegistration } from "./support/files.ts"
import { answering, silent, taken } from "./support/servers.ts"

const ping = (origin: string | undefined, id: string, token: string) =>
  Effect.promise(async () => {
    const response = await fetch(`${origin}/_matrix/client/v1/appservice/${id}/ping`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: "{}"
    })
    return { status: response.status, body: await response.json() }
  })

describe("homeserver", () => {
  it.effect("prints one line when it is ready, answers for every registration, and knows its users", () =>
    Effect.gen(function*() {
      const appservice = yield* answering(200, "{}")
      const one = yield* writeRegistration({ url: appservice.url })
      const two = yield* writeRegistration({ id: "signal", as_token: `${canaries.as_token}_two`, url: appservice.url })
      const running = yield* startHomeserver(
        "--registration",
        one,
        "--registration",
        two,
        "--user-token",
        canaries.user,
        "--user-token",
        `${canaries.user}_two`
      )
      const { origin } = running

      assert.strictEqual((yield* ping(origin, "telegram", canaries.as_token)).status, 200)
      assert.strictEqual((yield* ping(origin, "signal", `${canaries.as_token}_two`)).status, 200)
      for (const user of [canaries.user, `${canaries.user}_two`]) {
        const { body, status } = yield* ping(origin, "telegram", user)
        assert.strictEqual(status, 403)
        assert.strictEqual(body.errcode, "M_FORBIDDEN")
      }
      assert.strictEqual((yield* ping(origin, "telegram", "stranger")).status, 401)

      yield* running.kill("SIGTERM")
      const ended = yield* running.ended
      assert.strictEqual(ended.stdout, `homeserver ready at ${origin}\n`)
      assert.strictEqual(ended.stderr, "")
      assert.strictEqual(ended.code, 0)
    }))

  it.effect("D12 --server-name names the homeserver that a bridge starts against, localhost without it", () =>
    Effect.gen(function*() {
      const file = yield* writeRegistration({ namespaces: { users: [{ regex: "@telegram_(", exclusive: true }] } })
      for (
        const [name, args] of [["localhost", []], ["matrix.example", ["--server-name", "matrix.example"]]] as const
      ) {
        const running = yield* startHomeserver("--registration", file, ...args)
        const whoami = (query: string) =>
          Effect.promise(async () => {
            const headers = { authorization: `Bearer ${canaries.as_token}` }
            const response = await fetch(`${running.origin}/_matrix/client/v3/account/whoami${query}`, { headers })
            return [response.status, JSON.stringify(await response.json())] as const
          })
        assert.deepStrictEqual(yield* whoami(""), [200, `{"user_id":"@telegrambot:${name}"}`])
        const [status, refused] = yield* whoami("?user_id=@telegrambot:elsewhere.example")
        assert.strictEqual(status, 403)
        assert.include(refused, `the name of this homeserver is ${name}`)
        yield* running.kill("SIGTERM")
        const { stderr } = yield* running.ended
        assert.include(
          stderr,
          "The user namespace \"@telegram_(\" of the appservice \"telegram\" is no regular expression"
        )
      }
      const { code, stderr } = yield* run([
        "homeserver",
        "--registration",
        file,
        "--server-name",
        "https://matrix.example"
      ])
      assert.strictEqual(code, 2)
      assert.include(stderr, "--server-name: expected the name of a homeserver, such as matrix.example")
    }))

  it.effect("--ping-timeout bounds the call to the appservice", () =>
    Effect.gen(function*() {
      const appservice = yield* silent
      const file = yield* writeRegistration({ url: appservice.url })
      const running = yield* startHomeserver("--ping-timeout", "200 millis", "--registration", file)
      const { origin } = running
      const { body, status } = yield* ping(origin, "telegram", canaries.as_token)
      assert.strictEqual(status, 504)
      assert.strictEqual(body.errcode, "M_CONNECTION_TIMEOUT")
      yield* appservice.left
    }))

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it.effect(`${signal} stops it within 2 seconds with exit code 0 while pings stall and connections are open`, () =>
      Effect.gen(function*() {
        const appservice = yield* silent
        const file = yield* writeRegistration({ url: appservice.url })
        const running = yield* startHomeserver("--registration", file)
        const { origin } = running
        // A connection that is kept alive, and two pings that wait for the appservice.
        yield* Effect.promise(async () => (await fetch(`${origin}/_matrix/client/versions`)).text())
        for (let i = 0; i < 2; i++) {
          yield* Effect.forkChild(Effect.exit(ping(origin, "telegram", canaries.as_token)), { startImmediately: true })
        }
        yield* appservice.opened(2)
        const from = performance.now()
        yield* running.kill(signal)
        const ended = yield* running.ended
        assert.isBelow(performance.now() - from, 2000)
        assert.strictEqual(ended.code, 0)
        assert.strictEqual(ended.stderr, "")
        yield* appservice.left
      }))
  }

  it.effect("C17 the CORS headers stand on the answer to what is no HTTP", () =>
    Effect.gen(function*() {
      const file = yield* writeRegistration()
      const running = yield* startHomeserver("--registration", file)
      const { origin } = running
      const answer = yield* Effect.callback<string>((resume) => {
        let text = ""
        const socket = connect(Number(new URL(origin).port), "127.0.0.1", () => socket.write("garbage\r\n\r\n"))
        socket.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk
        })
        socket.on("close", () => resume(Effect.succeed(text)))
      })
      assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
      for (const name of ["origin", "methods", "headers"]) assert.include(answer, `\r\naccess-control-allow-${name}: `)
    }))

  it.effect("C23 refuses two registrations with one id, names both files, and does not start", () =>
    Effect.gen(function*() {
      const one = yield* writeRegistration()
      const two = yield* writeRegistration({ as_token: `${canaries.as_token}_two` })
      const { code, stderr, stdout } = yield* run([
        "homeserver",
        "--port",
        "0",
        "--registration",
        one,
        "--registration",
        two
      ])
      assert.strictEqual(
        stderr,
        `${one} and ${two}: both have the id "telegram"; give each appservice its own id\n`
      )
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 2)
    }))

  it.effect("C23 refuses two registrations with one as_token, names both files, and shows no token", () =>
    Effect.gen(function*() {
      const one = yield* writeRegistration()
      const other = yield* writeRegistration({ id: "irc", as_token: `${canaries.as_token}_three` })
      const two = yield* writeRegistration({ id: "signal" })
      const { code, stderr, stdout } = yield* run([
        "homeserver",
        "--port",
        "0",
        "--registration",
        one,
        "--registration",
        other,
        "--registration",
        two
      ])
      assert.strictEqual(stderr, `${one} and ${two}: both have the same as_token; generate a new one for one of them\n`)
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 2)
    }))

  it.effect("refuses a file that is given twice, and a user token that is an as_token", () =>
    Effect.gen(function*() {
      const file = yield* writeRegistration()
      const twice = yield* run(["homeserver", "--port", "0", "--registration", file, "--registration", file])
      assert.strictEqual(twice.stderr, `${file}: the file is given twice\n`)
      assert.strictEqual(twice.code, 2)
      const user = yield* run(["homeserver", "--port", "0", "--registration", file, "--user-token", canaries.as_token])
      assert.strictEqual(
        user.stderr,
        `${file}: its as_token is also a --user-token; a user needs a token of their own\n`
      )
      assert.strictEqual(user.code, 2)
    }))

  it.effect("a port that is taken is one line on stderr and exit code 1", () =>
    Effect.gen(function*() {
      const { port } = yield* taken
      const file = yield* writeRegistration()
      const { code, stderr, stdout } = yield* run(["homeserver", "--port", `${port}`, "--registration", file])
      assert.strictEqual(
        stderr,
        `cannot listen on 127.0.0.1:${port}: the port is taken; stop the program that uses it, or choose another port\n`
      )
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 1)
    }))

  it.effect("D8 writes no token to stdout or stderr, whatever is asked", () =>
    Effect.gen(function*() {
      const appservice = yield* answering(500, `${canaries.hs_token} ${canaries.as_token}`)
      const file = yield* writeRegistration({ url: appservice.url })
      const running = yield* startHomeserver("--registration", file, "--user-token", canaries.user)
      const { origin } = running
      for (const token of Object.values(canaries)) {
        const { body } = yield* ping(origin, "telegram", token)
        assert.notInclude(JSON.stringify(body), canaries.hs_token)
      }
      yield* running.kill("SIGTERM")
      const { stderr, stdout } = yield* running.ended
      assertNoToken(stdout + stderr)
    }))
})
