import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run, start } from "./support/Cli.ts"
import { assertNoToken, canaries, writeRegistration } from "./support/files.ts"
import * as InProcess from "./support/inProcess.ts"
import { answering, listen, silent, taken } from "./support/servers.ts"

const file = writeRegistration()

const ping = (url: string, ...args: ReadonlyArray<string>) =>
  Effect.flatMap(file, (path) => run(["ping", "--registration", path, "--homeserver", url, ...args]))

describe("ping", () => {
  it.effect("prints the duration on stdout and ends with exit code 0", () =>
    Effect.gen(function*() {
      const { url } = yield* answering(200, "{\"duration_ms\":12}")
      const ended = yield* ping(url)
      assert.deepStrictEqual(ended, {
        code: 0,
        signal: null,
        stdout: `${url}/ reached the appservice in 12 ms\n`,
        stderr: ""
      })
    }))

  it.effect("D8 names the homeserver without userinfo and query string", () =>
    Effect.gen(function*() {
      const { url } = yield* answering(200, "{\"duration_ms\":12}")
      const secret = `${url.replace("http://", `http://user:${canaries.user}@`)}/path?access_token=${canaries.user}`
      const { stderr, stdout } = yield* ping(secret)
      assert.strictEqual(stdout, `${url}/path reached the appservice in 12 ms\n`)
      assert.strictEqual(stderr, "")
    }))

  it.effect("sends the as_token, the id and the transaction id, also an empty one", () =>
    Effect.gen(function*() {
      const requests: Array<string> = []
      const { url } = yield* listen((socket, text) => {
        requests.push(text)
        socket.end("HTTP/1.1 200 OK\r\ncontent-length: 17\r\nconnection: close\r\n\r\n{\"duration_ms\":1}")
      })
      for (const id of ["txn one", ""]) {
        const { code } = yield* ping(url, "--transaction-id", id)
        assert.strictEqual(code, 0)
      }
      assert.lengthOf(requests, 2)
      assert.include(requests[0], "POST /_matrix/client/v1/appservice/telegram/ping HTTP/1.1\r\n")
      assert.match(requests[0] ?? "", new RegExp(`^authorization: Bearer ${canaries.as_token}\r$`, "im"))
      assert.include(requests[0], "{\"transaction_id\":\"txn one\"}")
      assert.include(requests[1], "{\"transaction_id\":\"\"}")
    }))

  it.effect("explains a failed ping on stderr in a few lines and ends with exit code 1", () =>
    Effect.gen(function*() {
      const { url } = yield* answering(
        502,
        "{\"errcode\":\"M_BAD_STATUS\",\"error\":\"it answered 401\",\"status\":401,\"body\":\"{}\"}"
      )
      const { code, stderr, stdout } = yield* ping(url)
      assert.strictEqual(stdout, "")
      const lines = stderr.trimEnd().split("\n")
      assert.strictEqual(lines[0], "M_BAD_STATUS: it answered 401")
      assert.match(lines[1] ?? "", /^ {2}What is wrong: {2}.*hs_token/)
      assert.match(lines[2] ?? "", /^ {2}What to do: {5}\S/)
      assert.strictEqual(lines[3], "  Who must act:   operator")
      assert.strictEqual(lines[4], "  Trying again:   does not help until that is done")
      assert.lengthOf(lines, 5)
      assert.strictEqual(code, 1)
    }))

  it.effect("an appservice whose framework answers only its own pings is reached: exit code 0", () =>
    Effect.gen(function*() {
      const body = JSON.stringify({ errcode: "BAD_REQUEST", error: "No ping request expected" })
      const { url } = yield* answering(
        502,
        JSON.stringify({ errcode: "M_BAD_STATUS", error: "400", status: 400, body })
      )
      const { code, stderr, stdout } = yield* ping(url)
      assert.match(stdout, /answers only its own pings/)
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)

      const machine = yield* ping(url, "--json")
      const report = JSON.parse(machine.stdout)
      assert.deepStrictEqual([report.ok, report.actor, report.duration_ms], [true, "nobody", null])
      assert.strictEqual(machine.code, 0)
    }))

  it.effect("C21 finds the path from before spec v1.7 where the usual one is not there", () =>
    Effect.gen(function*() {
      const paths: Array<string> = []
      const { url } = yield* listen((socket, text) => {
        const path = text.split(" ")[1] ?? ""
        paths.push(path)
        const answer = path.includes("/unstable/")
          ? [200, "{\"duration_ms\":7}"] as const
          : path.endsWith("/versions")
          ? [200, "{\"versions\":[\"v1.6\"],\"unstable_features\":{\"fi.mau.msc2659\":true}}"] as const
          : [404, "{\"errcode\":\"M_UNRECOGNIZED\"}"] as const
        socket.end(
          `HTTP/1.1 ${answer[0]} X\r\ncontent-length: ${answer[1].length}\r\nconnection: close\r\n\r\n${answer[1]}`
        )
      })
      const { code, stdout } = yield* ping(url)
      assert.include(stdout, "in 7 ms")
      assert.strictEqual(code, 0)
      assert.match(paths.at(-1) ?? "", /\/unstable\/fi\.mau\.msc2659\//)
    }))

  it.effect("says of a homeserver without the ping which versions it has", () =>
    Effect.gen(function*() {
      const { url } = yield* listen((socket, text) => {
        const body = text.includes("/client/versions ")
          ? "{\"versions\":[\"v1.6\"]}"
          : "{\"errcode\":\"M_UNRECOGNIZED\"}"
        const status = text.includes("/client/versions ") ? 200 : 404
        socket.end(`HTTP/1.1 ${status} X\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`)
      })
      const { code, stdout } = yield* ping(url, "--json")
      const report = JSON.parse(stdout)
      assert.strictEqual(report.tag, "PingUnsupported")
      assert.include(report.cause, "v1.6")
      assert.strictEqual(code, 1)
    }))

  it.effect("explains a homeserver that is not there", () =>
    Effect.gen(function*() {
      const { url } = yield* Effect.scoped(answering(200, ""))
      const { code, stderr, stdout } = yield* ping(url)
      assert.include(stderr, "The homeserver could not be reached")
      assert.include(stderr, "the connection was refused")
      assert.include(stderr, "  Trying again:   can help")
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 1)
    }))

  it.effect("--timeout is no reason to call a homeserver undecided that nobody reached, however short it is", () =>
    Effect.gen(function*() {
      // It takes the connection, and never ends the handshake.
      const { url } = yield* silent
      const { code, stderr } = yield* ping(url.replace("http:", "https:"), "--timeout", "500 millis")
      assert.strictEqual(code, 1)
      assert.match(stderr, /could not be reached/)
      assert.notMatch(stderr, /undecided/)
    }))

  it.effect("--timeout ends a ping that gets no answer, which is undecided and not failed", () =>
    Effect.gen(function*() {
      const { url } = yield* silent
      const { code, stderr } = yield* ping(url, "--timeout", "300 millis")
      assert.match(stderr, /gave no answer within .*: the ping is undecided, not failed/)
      assert.strictEqual(code, 1)
    }))

  it.effect("--json prints one object on stdout for a good ping", () =>
    Effect.gen(function*() {
      const { url } = yield* answering(200, "{\"duration_ms\":0}")
      const { code, stderr, stdout } = yield* ping(url, "--json")
      assert.lengthOf(stdout.trimEnd().split("\n"), 1)
      assert.deepStrictEqual(JSON.parse(stdout), {
        ok: true,
        tag: null,
        errcode: null,
        status: null,
        body: null,
        location: null,
        error: null,
        cause: null,
        advice: null,
        actor: null,
        temporary: null,
        certainty: null,
        duration_ms: 0,
        verified: null
      })
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)
    }))

  it.effect("--json prints one object on stdout for a failed ping, and nothing on stderr", () =>
    Effect.gen(function*() {
      const { url } = yield* answering(504, "{\"errcode\":\"M_CONNECTION_TIMEOUT\",\"error\":\"too\\nslow\"}")
      const { code, stderr, stdout } = yield* ping(url, "--json")
      const report = JSON.parse(stdout)
      assert.strictEqual(report.errcode, "M_CONNECTION_TIMEOUT")
      assert.strictEqual(report.error, "M_CONNECTION_TIMEOUT: too slow")
      assert.strictEqual(report.actor, "operator")
      assert.strictEqual(report.temporary, true)
      assert.strictEqual(report.duration_ms, null)
      assert.isString(report.cause)
      assert.isString(report.advice)
      assert.deepStrictEqual(Object.keys(report).toSorted(), [
        "actor",
        "advice",
        "body",
        "cause",
        "certainty",
        "duration_ms",
        "errcode",
        "error",
        "location",
        "ok",
        "status",
        "tag",
        "temporary",
        "verified"
      ])
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 1)
    }))

  it.effect("--json says null for the errcode where no homeserver answered", () =>
    Effect.gen(function*() {
      const { url } = yield* answering(502, "<h1>Bad Gateway</h1>", "content-type: text/html\r\n")
      const { code, stdout } = yield* ping(url, "--json")
      const report = JSON.parse(stdout)
      assert.strictEqual(report.errcode, null)
      assert.strictEqual(report.tag, "NotHomeserver")
      assert.strictEqual(report.status, 502)
      assert.strictEqual(report.body, "<h1>Bad Gateway</h1>")
      assert.include(report.error, "answered 502, but not as a homeserver does")
      assert.strictEqual(code, 1)
    }))

  it.effect("D8 shows no token and no control character of what a homeserver answers", () =>
    Effect.gen(function*() {
      const echo = `${canaries.as_token} ${canaries.hs_token} ${encodeURIComponent(canaries.hs_token)} \u001b[2J\u202e`
      const { url } = yield* answering(
        502,
        JSON.stringify({ errcode: "M_CONNECTION_FAILED", error: echo, body: echo, status: 500 })
      )
      const withSecrets = url.replace("http://", `http://user:${canaries.user}@`) + `/?access_token=${canaries.user}#x`
      for (const json of [[], ["--json"]]) {
        const { code, stderr, stdout } = yield* ping(withSecrets, ...json)
        assertNoToken(stdout + stderr)
        assert.include(stdout + stderr, "<redacted>")
        assert.notMatch(stdout + stderr, /\p{Cf}/u)
        assert.notInclude(stdout + stderr, "\u001b")
        assert.strictEqual(code, 1)
      }
    }))

  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    it.effect(`${signal} ends a ping that stalls within 2 seconds, with exit code ${code}`, () =>
      Effect.gen(function*() {
        const homeserver = yield* silent
        const running = yield* start(["ping", "--registration", yield* file, "--homeserver", homeserver.url])
        yield* homeserver.opened(1)
        const from = performance.now()
        yield* running.kill(signal)
        const ended = yield* running.ended
        assert.isBelow(performance.now() - from, 2000)
        assert.deepStrictEqual(ended, { code, signal: null, stdout: "", stderr: "" })
      }))
  }
})

describe("ping --verify", () => {
  const verify = (path: string, url: string, ...args: ReadonlyArray<string>) =>
    run(["ping", "--verify", "--registration", path, "--homeserver", url, ...args])

  /** A registration whose url leads to a port that was free a moment ago, and a homeserver that knows it. */
  const free = Effect.gen(function*() {
    const { url } = yield* Effect.scoped(taken)
    const path = yield* writeRegistration({ url })
    return { path, url, homeserver: yield* InProcess.homeserver({ url }) }
  })

  it.effect("listens where the url leads, and confirms a ping that arrives, with exit code 0", () =>
    Effect.gen(function*() {
      const { homeserver, path } = yield* free
      const { code, stderr, stdout } = yield* verify(path, homeserver)
      assert.match(stdout, /reached this machine in \d+ ms: the ping arrived here, and the homeserver confirms it\n$/)
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)
      const report = JSON.parse((yield* verify(path, homeserver, "--json")).stdout)
      assert.isTrue(report.verified)
      assert.isNumber(report.duration_ms)
    }))

  it.effect("says that something else answers where the ping does not arrive", () =>
    Effect.gen(function*() {
      const { path } = yield* free
      const elsewhere = yield* answering(200, "{\"duration_ms\":3}")
      const { code, stderr, stdout } = yield* verify(path, elsewhere.url)
      assert.include(stderr, "something else answers")
      assert.include(stderr, "  Who must act:   operator")
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 1)
      const report = JSON.parse((yield* verify(path, elsewhere.url, "--json")).stdout)
      assert.deepStrictEqual([report.tag, report.verified, report.errcode], ["AnsweredElsewhere", false, null])
    }))

  it.effect("says that the way back is broken where the ping arrives, and the homeserver denies it", () =>
    Effect.gen(function*() {
      const { homeserver, path } = yield* free
      const between = yield* listen((socket, text) => {
        const [, body = ""] = text.split("\r\n\r\n")
        const [, target = ""] = text.split(" ")
        const authorization = /^authorization: (.*)\r$/im.exec(text)?.[1] ?? ""
        void fetch(`${homeserver}${target}`, { method: "POST", headers: { authorization }, body }).then(() => {
          const denial = "{\"errcode\":\"M_CONNECTION_TIMEOUT\",\"error\":\"too slow\"}"
          socket.end(`HTTP/1.1 504 X\r\ncontent-length: ${denial.length}\r\nconnection: close\r\n\r\n${denial}`)
        })
      })
      const { code, stdout } = yield* verify(path, between.url, "--json")
      const report = JSON.parse(stdout)
      assert.deepStrictEqual([report.tag, report.verified, report.errcode], [
        "SeenButFailed",
        true,
        "M_CONNECTION_TIMEOUT"
      ])
      assert.strictEqual(code, 1)
    }))

  it.effect("a ping that does not arrive fails as it does without --verify", () =>
    Effect.gen(function*() {
      const { path } = yield* free
      const homeserver = yield* answering(401, "{\"errcode\":\"M_UNKNOWN_TOKEN\"}")
      const report = JSON.parse((yield* verify(path, homeserver.url, "--json")).stdout)
      assert.deepStrictEqual([report.tag, report.verified, report.errcode], [
        "M_UNKNOWN_TOKEN",
        null,
        "M_UNKNOWN_TOKEN"
      ])
    }))

  it.effect("a port that is taken is two lines on stderr and exit code 1, and no ping is sent", () =>
    Effect.gen(function*() {
      const { port, url } = yield* taken
      const homeserver = yield* answering(200, "{\"duration_ms\":3}")
      const { code, stderr, stdout } = yield* verify(yield* writeRegistration({ url }), homeserver.url)
      assert.strictEqual(
        stderr,
        `cannot listen on 127.0.0.1:${port}: the port is taken, probably by the appservice itself\n` +
          "Stop it while the ping is verified, or ping without --verify, which believes the homeserver.\n"
      )
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 1)
      assert.strictEqual(homeserver.connections(), 0)
    }))

  it.effect("--port says where to listen, behind a proxy that leads there", () =>
    Effect.gen(function*() {
      const { url } = yield* Effect.scoped(taken)
      const path = yield* writeRegistration({ url: "https://bridge.invalid/bridge/" })
      const origin = yield* InProcess.homeserver({ url: `${url}/bridge` })
      const { code, stdout } = yield* verify(path, origin, "--host", "127.0.0.1", "--port", new URL(url).port)
      assert.include(stdout, "the ping arrived here")
      assert.strictEqual(code, 0)
    }))

  const refused = [
    [["--transaction-id", "x", "--verify"], "--transaction-id and --verify do not go together"],
    [["--port", "0"], "--host and --port say where to listen, which only --verify does"]
  ] as const

  for (const [args, line] of refused) {
    it.effect(`${args.join(" ")} is wrong usage`, () =>
      Effect.gen(function*() {
        const { code, stderr } = yield* ping("http://127.0.0.1:1", ...args)
        assert.include(stderr, line)
        assert.strictEqual(code, 2)
      }))
  }
})
