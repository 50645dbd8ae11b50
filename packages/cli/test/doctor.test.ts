import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmod } from "node:fs/promises"
import { run, start } from "./support/Cli.ts"
import { assertNoToken, canaries, registration, write, writeRegistration } from "./support/files.ts"
import * as InProcess from "./support/inProcess.ts"
import { answering, listen, silent, taken } from "./support/servers.ts"

const doctor = (file: string, homeserver: string, ...args: ReadonlyArray<string>) =>
  run(["doctor", "--registration", file, "--homeserver", homeserver, ...args])

const report = (file: string, homeserver: string, ...args: ReadonlyArray<string>) =>
  Effect.map(doctor(file, homeserver, "--json", ...args), ({ code, stderr, stdout }) => {
    assert.strictEqual(stderr, "")
    assert.lengthOf(stdout.trimEnd().split("\n"), 1)
    const { checks, conclusion, ok } = JSON.parse(stdout)
    const statuses = Object.fromEntries(
      checks.map(({ id, status }: { readonly id: string; readonly status: string }) => [id, status])
    )
    // Without a file that can be used nothing is asked.
    assert.strictEqual(code, ok === true ? 0 : statuses.homeserver === "skipped" ? 2 : 1)
    return { ok, conclusion, checks, statuses, stdout }
  })

/** A good pair: the appservice, the homeserver, and the file that both have. */
const pair = Effect.gen(function*() {
  const appservice = yield* InProcess.appservice()
  const file = yield* writeRegistration({ url: appservice.origin })
  const homeserver = yield* InProcess.homeserver({ url: appservice.origin })
  return { appservice, file, homeserver }
})

/** A url where nothing listens; whoever takes the port meanwhile makes the test fail, not hang. */
const nowhere = Effect.map(Effect.scoped(taken), ({ url }) => url)

const json = (status: number, body: unknown) => {
  const text = JSON.stringify(body)
  return `HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\ncontent-length: ${
    Buffer.byteLength(text)
  }\r\nconnection: close\r\n\r\n${text}`
}

describe("doctor", () => {
  it.effect("has a line for each check and says that all is well, with exit code 0", () =>
    Effect.gen(function*() {
      const { file, homeserver } = yield* pair
      const { code, stderr, stdout } = yield* doctor(file, homeserver)
      const lines = stdout.trimEnd().split("\n")
      assert.deepStrictEqual(lines.slice(0, 7).map((line) => line.slice(0, 4)), [
        "ok  ",
        "ok  ",
        "ok  ",
        "ok  ",
        "ok  ",
        "ok  ",
        "ok  "
      ])
      assert.deepStrictEqual(lines.slice(7), [
        "",
        "Nothing is wrong with the ping: the homeserver reaches the appservice.",
        "Nothing has to be done.",
        "Rests on: Direct call to url (seen from here); Ping by the homeserver (said by the homeserver with a code)."
      ])
      assert.notInclude(stdout, "\u001b")
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)
    }))

  it.effect("--json prints one object with every check and the conclusion", () =>
    Effect.gen(function*() {
      const { file, homeserver } = yield* pair
      const { ok, checks, conclusion } = yield* report(file, homeserver)
      assert.isTrue(ok)
      assert.deepStrictEqual(
        checks.map(({ id }: { readonly id: string }) => id),
        ["registration", "homeserver", "versions", "token", "listener", "direct", "ping"]
      )
      for (const step of checks) {
        assert.deepStrictEqual(Object.keys(step).toSorted(), ["detail", "duration_ms", "id", "status", "title"])
      }
      assert.deepStrictEqual(Object.keys(conclusion).toSorted(), [
        "actor",
        "advice",
        "cause",
        "certainty",
        "rests_on",
        "rule",
        "temporary"
      ])
      assert.deepStrictEqual(conclusion.rests_on, [
        { check: "direct", weight: "seen" },
        { check: "ping", weight: "code" }
      ])
    }))

  it.effect("stands in where nothing listens: the ping arrives, and the appservice is what is missing", () =>
    Effect.gen(function*() {
      const url = yield* nowhere
      const file = yield* writeRegistration({ url })
      const origin = yield* InProcess.homeserver({ url })
      const { ok, statuses, checks, conclusion } = yield* report(file, origin)
      assert.isFalse(ok)
      assert.deepStrictEqual([statuses.listener, statuses.direct, statuses.ping], ["warning", "ok", "ok"])
      assert.include(checks.at(-1).detail, "confirmed: it arrived here")
      assert.match(conclusion.cause, /^The appservice is not running: .* The way there is good/)

      const asked = yield* report(file, origin, "--listen")
      assert.isTrue(asked.ok)
      assert.strictEqual(asked.statuses.listener, "ok")

      const alone = yield* report(file, origin, "--no-listen")
      assert.isFalse(alone.ok)
      assert.deepStrictEqual([alone.statuses.listener, alone.statuses.direct, alone.statuses.ping], [
        "failed",
        "failed",
        "failed"
      ])
      assert.match(alone.conclusion.cause, /neither for the homeserver nor from here/)
    }))

  it.effect("--listen leaves alone what listens already", () =>
    Effect.gen(function*() {
      const { appservice, file, homeserver } = yield* pair
      const { ok, statuses } = yield* report(file, homeserver, "--listen")
      assert.isTrue(ok)
      assert.strictEqual(statuses.listener, "warning")
      // The doctor's own call, and the homeserver's.
      assert.deepStrictEqual(appservice.received, [{ transactionId: "doctor" }, { transactionId: "doctor" }])
    }))

  it.effect("D11 calls the url as the homeserver does: with a wrong token, then with the hs_token, each on its own connection", () =>
    Effect.gen(function*() {
      const requests: Array<string> = []
      const appservice = yield* listen((socket, text) => {
        requests.push(text)
        const isRight = text.includes(`Bearer ${canaries.hs_token}`)
        socket.end(isRight ? json(200, {}) : json(401, { errcode: "M_UNKNOWN_TOKEN" }))
      })
      const url = `${appservice.url}/bridge/`
      const file = yield* writeRegistration({ url })
      const origin = yield* InProcess.homeserver({ url })
      const { ok, statuses } = yield* report(file, origin)
      assert.isTrue(ok)
      assert.strictEqual(statuses.direct, "ok")
      // The two calls of the doctor, and the homeserver's.
      assert.lengthOf(requests, 3)
      for (const request of requests) {
        assert.match(request, /^POST \/bridge\/_matrix\/app\/v1\/ping HTTP\/1\.1\r\n/)
        assert.match(request, /^connection: close\r$/im)
        assert.include(request, "{\"transaction_id\":\"doctor\"}")
      }
      assert.notInclude(requests[0], canaries.hs_token)
      assert.include(requests[1], `Bearer ${canaries.hs_token}\r\n`)
      // The probe of the listener connects and says nothing.
      assert.strictEqual(appservice.connections(), 4)
    }))

  it.effect("a wrong token that is accepted is a warning, where only the path of the ping is answered", () =>
    Effect.gen(function*() {
      const appservice = yield* listen((socket, text) =>
        socket.end(text.includes("/_matrix/app/v1/ping ") ? json(200, {}) : json(404, { errcode: "M_UNRECOGNIZED" }))
      )
      const file = yield* writeRegistration({ url: appservice.url })
      const origin = yield* InProcess.homeserver({ url: appservice.url })
      const { conclusion, ok, statuses } = yield* report(file, origin)
      assert.isTrue(ok)
      assert.strictEqual(statuses.direct, "warning")
      assert.include(conclusion.advice, "does not check the hs_token")
    }))

  it.effect("A6 a service that answers every path with success is no appservice", () =>
    Effect.gen(function*() {
      const service = yield* answering(200, "{}")
      const file = yield* writeRegistration({ url: service.url })
      const origin = yield* InProcess.homeserver({ url: service.url })
      const { conclusion, ok, statuses } = yield* report(file, origin)
      assert.isFalse(ok)
      assert.deepStrictEqual([statuses.direct, statuses.ping], ["failed", "ok"])
      assert.strictEqual(conclusion.rule, "url-answers-everything")
    }))

  it.effect("D8 sends no token to what has not shown itself to be a homeserver, and no hs_token to a page", () =>
    Effect.gen(function*() {
      const requests: Array<string> = []
      const page = yield* listen((socket, text) => {
        requests.push(text)
        socket.end("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>")
      })
      const file = yield* writeRegistration({ url: page.url })
      const { ok, statuses } = yield* report(file, page.url)
      assert.isFalse(ok)
      assert.deepStrictEqual([statuses.versions, statuses.token, statuses.ping], ["failed", "skipped", "skipped"])
      // The versions, the ping with a wrong token, and a path that no appservice has.
      assert.lengthOf(requests, 3)
      assertNoToken(requests.join("\n"))
    }))

  it.effect("asks whose the as_token is, and takes another user for a warning", () =>
    Effect.gen(function*() {
      const questions: Array<string> = []
      const { url } = yield* listen((socket, text) => {
        if (text.startsWith("GET /_matrix/client/v3/account/whoami ")) questions.push(text)
        socket.end(
          text.startsWith("GET /_matrix/client/versions ")
            ? json(200, { versions: ["v1.11"] })
            : text.startsWith("GET /_matrix/federation/v1/version ")
            ? json(200, { server: { name: "Synapse", version: "1.157.0" } })
            : text.startsWith("GET ")
            ? json(200, { user_id: "@signalbot:example.org" })
            : json(403, { errcode: "M_FORBIDDEN", error: "no" })
        )
      })
      const appservice = yield* InProcess.appservice()
      const file = yield* writeRegistration({ url: appservice.origin })
      const { ok, statuses, checks, conclusion } = yield* report(file, url)
      assert.isFalse(ok)
      assert.strictEqual(statuses.token, "warning")
      assert.strictEqual(checks[2].detail, "Synapse 1.157.0")
      assert.match(conclusion.cause, /as_token is that of @signalbot:example\.org/)
      assert.lengthOf(questions, 1)
      assert.match(questions[0] ?? "", new RegExp(`^authorization: Bearer ${canaries.as_token}\r$`, "im"))
    }))

  it.effect("names the field in which the two copies differ, and no value", () =>
    Effect.gen(function*() {
      const { file, homeserver } = yield* pair
      const copy = yield* writeRegistration({ hs_token: `${canaries.hs_token}_old`, id: "other_id_of_the_copy" })
      const { conclusion, ok, statuses, stdout } = yield* report(file, homeserver, "--homeserver-registration", copy)
      assert.isFalse(ok)
      assert.strictEqual(conclusion.rule, "copies-differ-unused")
      assert.strictEqual(statuses.registration, "failed")
      assert.include(stdout, "differs in id, url, hs_token")
      assert.notInclude(stdout, "other_id_of_the_copy")
      assertNoToken(stdout)
    }))

  it.effect("a file that everybody can read is a warning", () =>
    Effect.gen(function*() {
      const { file, homeserver } = yield* pair
      yield* Effect.promise(() => chmod(file, 0o644))
      const { ok, statuses, conclusion } = yield* report(file, homeserver)
      assert.isTrue(ok)
      assert.strictEqual(statuses.registration, "warning")
      assert.include(conclusion.advice, "chmod 640")
    }))

  it.effect("a registration with a wrong field is the conclusion, nothing else is asked, and the exit code is 2", () =>
    Effect.gen(function*() {
      const homeserver = yield* taken
      const file = yield* write(registration({ as_token: "" }))
      const { statuses, conclusion } = yield* report(file, homeserver.url)
      assert.include(conclusion.cause, "as_token: expected a token")
      assert.strictEqual(conclusion.actor, "operator")
      assert.deepStrictEqual(statuses, {
        registration: "failed",
        homeserver: "skipped",
        versions: "skipped",
        token: "skipped",
        listener: "skipped",
        direct: "skipped",
        ping: "skipped"
      })
      assert.strictEqual(homeserver.connections(), 0)
    }))

  it.effect("a file that is not there is wrong usage: exit code 2", () =>
    Effect.gen(function*() {
      const missing = yield* doctor("missing.yaml", "http://127.0.0.1:1", "--json")
      assert.deepStrictEqual([missing.code, missing.stdout, missing.stderr], [
        2,
        "",
        "missing.yaml: there is no such file\n"
      ])
      const copy = yield* doctor(
        yield* writeRegistration(),
        "http://127.0.0.1:1",
        "--homeserver-registration",
        "copy.yaml"
      )
      assert.deepStrictEqual([copy.code, copy.stdout, copy.stderr], [2, "", "copy.yaml: there is no such file\n"])
    }))

  it.effect("--timeout bounds every step", () =>
    Effect.gen(function*() {
      const homeserver = yield* silent
      const appservice = yield* silent
      const file = yield* writeRegistration({ url: appservice.url })
      const { statuses, conclusion } = yield* report(file, homeserver.url, "--timeout", "200 millis")
      assert.deepStrictEqual([statuses.homeserver, statuses.direct, statuses.ping], ["failed", "failed", "skipped"])
      assert.match(conclusion.cause, /takes connections, but gave no answer within/)
      yield* homeserver.left
      yield* appservice.left
    }))

  it.effect("D8 shows no token, userinfo, query string or control character, whatever is answered", () =>
    Effect.gen(function*() {
      const echo = `${canaries.as_token} ${canaries.hs_token} ${encodeURIComponent(canaries.hs_token)} \u001b[2J\u202e`
      const { url } = yield* listen((socket, text) =>
        socket.end(
          text.startsWith("GET /_matrix/client/versions ")
            ? json(200, { versions: ["v1.11"] })
            : text.startsWith("GET /_matrix/federation/")
            ? json(200, { server: { name: echo, version: echo } })
            : text.startsWith("GET ")
            ? json(200, { user_id: `@${echo}:x` })
            : json(502, { errcode: "M_BAD_STATUS", error: echo, body: echo, status: 500 })
        )
      )
      const appservice = yield* answering(500, echo)
      const secret = (place: string) =>
        `${place.replace("http://", `http://u:${canaries.user}@`)}/?access_token=${canaries.user}`
      const file = yield* writeRegistration({ url: secret(appservice.url) })
      for (const args of [[], ["--json"]]) {
        const { code, stderr, stdout } = yield* doctor(file, secret(url), ...args)
        assertNoToken(stdout + stderr)
        assert.notMatch(stdout + stderr, /\p{Cf}/u)
        assert.notInclude(stdout + stderr, "\u001b")
        assert.strictEqual(code, 1)
      }
    }))

  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    it.effect(`${signal} ends it within 2 seconds, with exit code ${code}`, () =>
      Effect.gen(function*() {
        const homeserver = yield* silent
        const file = yield* writeRegistration()
        const running = yield* start(["doctor", "--registration", file, "--homeserver", homeserver.url])
        // The probe, and the question of the versions after it.
        yield* homeserver.opened(1)
        const from = performance.now()
        yield* running.kill(signal)
        const ended = yield* running.ended
        assert.isBelow(performance.now() - from, 2000)
        assert.strictEqual(ended.code, code)
        assert.strictEqual(ended.stderr, "")
      }))
  }
})
