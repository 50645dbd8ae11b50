import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run, start } from "./support/Cli.ts"
import { canaries, registration, write } from "./support/files.ts"
import { answering, listen, silent } from "./support/servers.ts"

const file = write(registration())

const assertNoToken = (text: string) => {
  for (const canary of Object.values(canaries)) assert.notInclude(text, canary)
}

describe("ping", () => {
  it.effect("prints the duration on stdout and ends with exit code 0", () =>
    Effect.gen(function*() {
      const { url } = yield* answering(200, "{\"duration_ms\":12}")
      const ended = yield* run(["ping", "--registration", yield* file, "--homeserver", url])
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
      const { stderr, stdout } = yield* run(["ping", "--registration", yield* file, "--homeserver", secret])
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
      const registrationFile = yield* file
      for (const id of ["txn one", ""]) {
        const { code } = yield* run([
          "ping",
          "--registration",
          registrationFile,
          "--homeserver",
          url,
          "--transaction-id",
          id
        ])
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
      const { code, stderr, stdout } = yield* run(["ping", "--registration", yield* file, "--homeserver", url])
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

  it.effect("explains a homeserver that is not there", () =>
    Effect.gen(function*() {
      const { url } = yield* Effect.scoped(answering(200, ""))
      const { code, stderr, stdout } = yield* run(["ping", "--registration", yield* file, "--homeserver", url])
      assert.include(stderr, "The homeserver could not be reached")
      assert.include(stderr, "the connection was refused")
      assert.include(stderr, "  Trying again:   can help")
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 1)
    }))

  it.effect("--timeout ends a ping that gets no answer, which is undecided and not failed", () =>
    Effect.gen(function*() {
      const { url } = yield* silent
      const { code, stderr } = yield* run([
        "ping",
        "--registration",
        yield* file,
        "--homeserver",
        url,
        "--timeout",
        "300 millis"
      ])
      assert.include(stderr, "gave no answer within 300ms: the ping is undecided, not failed")
      assert.strictEqual(code, 1)
    }))

  it.effect("--json prints one object on stdout for a good ping", () =>
    Effect.gen(function*() {
      const { url } = yield* answering(200, "{\"duration_ms\":0}")
      const { code, stderr, stdout } = yield* run([
        "ping",
        "--json",
        "--registration",
        yield* file,
        "--homeserver",
        url
      ])
      assert.lengthOf(stdout.trimEnd().split("\n"), 1)
      assert.deepStrictEqual(JSON.parse(stdout), {
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
        duration_ms: 0
      })
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)
    }))

  it.effect("--json prints one object on stdout for a failed ping, and nothing on stderr", () =>
    Effect.gen(function*() {
      const { url } = yield* answering(504, "{\"errcode\":\"M_CONNECTION_TIMEOUT\",\"error\":\"too\\nslow\"}")
      const { code, stderr, stdout } = yield* run([
        "ping",
        "--json",
        "--registration",
        yield* file,
        "--homeserver",
        url
      ])
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
        "duration_ms",
        "errcode",
        "error",
        "location",
        "status",
        "tag",
        "temporary"
      ])
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 1)
    }))

  it.effect("--json says null for the errcode where no homeserver answered", () =>
    Effect.gen(function*() {
      const { url } = yield* answering(502, "<h1>Bad Gateway</h1>", "content-type: text/html\r\n")
      const { code, stdout } = yield* run(["ping", "--json", "--registration", yield* file, "--homeserver", url])
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
      const registrationFile = yield* file
      const withSecrets = url.replace("http://", `http://user:${canaries.user}@`) + `/?access_token=${canaries.user}#x`
      for (const json of [[], ["--json"]]) {
        const { code, stderr, stdout } = yield* run([
          "ping",
          "--registration",
          registrationFile,
          "--homeserver",
          withSecrets,
          ...json
        ])
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
