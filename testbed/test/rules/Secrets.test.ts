/** No secret in an answer, a log line or a span: D8, over every mount and its transport. */
import { OutgoingTransport } from "@appservice-ping/server/homeserver/OutgoingTransport"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as Capture from "./support/Capture.ts"
import * as Fixture from "./support/Fixture.ts"
import * as Http from "./support/Http.ts"
import { effectHttpApp, mounts } from "./support/Mounts.ts"
import * as Pair from "./support/Pair.ts"
import * as RawClient from "./support/RawClient.ts"
import { FIN, make, refusingPort, RST, type Step } from "./support/RecordingServer.ts"

/** Every secret has this in it, and nothing else has. */
const canary = "canary"

const secrets = {
  asToken: "as-canary/+ %&\"\\ü",
  hsToken: "hs-canary/+ %&\"\\"
}

const withSecrets = (origin: string) =>
  `${origin.replace("://", "://user-canary:password-canary@")}/bridge/?query-canary=1#fragment-canary`

const inHeader = Http.request({
  target: `${Fixture.path()}?user_id=%40canary%3Alocalhost`,
  headers: [Fixture.bearer(secrets.asToken)],
  body: "{\"transaction_id\":\"id-canary\"}"
})

const inQuery = Http.request({
  target: `${Fixture.path()}?access_token=${encodeURIComponent(secrets.asToken)}`,
  body: "{\"transaction_id\":\"id-canary\"}"
})

const faults: ReadonlyArray<readonly [name: string, status: number, steps: ReadonlyArray<Step>]> = [
  ["a success", 200, [Http.response(200, "{}", [["Set-Cookie", "canary"]])]],
  ["a success that brings secrets", 200, [Http.response(200, secrets.hsToken)]],
  ["a redirect", 502, [Http.response(302, "", [["Location", `http://127.0.0.1/?${secrets.hsToken}`]])]],
  ["a reset", 502, [RST]],
  ["a close", 502, [FIN]],
  ["a cut body", 502, ["HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhs-canary", FIN]],
  ["a malformed answer with secrets in it", 502, ["hs-canary hs-canary\r\nquery-canary\r\n\r\n", FIN]],
  ["a malformed header with secrets in it", 502, ["HTTP/1.1 200 OK\r\nhs canary: hs-canary\r\n\r\n", FIN]],
  ["a silence", 504, []]
]

for (const mount of mounts) {
  describe(`on ${mount.name}`, () => {
    for (const [name, status, steps] of faults) {
      for (const [where, bytes] of [["header", inHeader], ["query", inQuery]] as const) {
        // The query token is in the URL, which only the Effect app's server records, and redacts as it is told.
        it.effect(`D8 keeps every secret out of answer, log and spans: ${name}, the as_token in the ${where}`, () =>
          Effect.gen(function*() {
            const captured = yield* Capture.make
            yield* Effect.gen(function*() {
              const { appservice, port } = yield* Pair.start(mount, {
                steps,
                ...secrets,
                users: ["@canary:.*"],
                url: withSecrets,
                outgoing: { legacyAuthorization: true }
              })
              const fiber = yield* Effect.forkChild(RawClient.send(port, bytes))
              const call = yield* appservice.next
              // What must not be shown was really there.
              assert.include(call.bytes().toString(), "hs-canary")
              assert.include(call.bytes().toString(), "query-canary=1")
              if (steps.length === 0) yield* TestClock.adjust("30 seconds")
              const answer = yield* Fiber.join(fiber)
              assert.strictEqual(answer.status, status)
              assert.notInclude(answer.bytes.toString(), canary)
            }).pipe(Effect.provide(captured.layer))
            assert.isNotEmpty(captured.spans.filter((span) => span.name === "OutgoingPing.send"))
            const shown = captured.text().replaceAll("%40canary", "").replaceAll("@canary", "")
            assert.notInclude(shown, canary)
          }))
      }
    }

    it.effect("D8 keeps every secret out of the answer where nothing can be reached", () =>
      Effect.gen(function*() {
        const captured = yield* Capture.make
        yield* Effect.gen(function*() {
          const refusing = yield* refusingPort
          for (
            const origin of [
              `http://127.0.0.1:${refusing}`,
              "http://no-such-host.invalid",
              `https://127.0.0.1:${refusing}`
            ]
          ) {
            const { port } = yield* Pair.start(mount, {
              ...secrets,
              users: ["@canary:.*"],
              url: () => withSecrets(origin),
              outgoing: { legacyAuthorization: true }
            })
            const answer = yield* RawClient.send(port, inHeader)
            assert.strictEqual(answer.status, 502)
            assert.notInclude(answer.bytes.toString(), canary)
          }
        }).pipe(Effect.provide(captured.layer))
        assert.notInclude(captured.text().replaceAll("%40canary", "").replaceAll("@canary", ""), canary)
      }))

    for (
      const [name, echo] of [
        ["plain", secrets.hsToken],
        ["percent-encoded", encodeURIComponent(secrets.hsToken)],
        ["in JSON", JSON.stringify({ authorization: secrets.hsToken })],
        ["cut off by the end of what is read", `${"x".repeat(65_536 - 14)}${secrets.hsToken}`]
      ] as const
    ) {
      it.effect(`D8 takes an hs_token that the appservice echoes out of M_BAD_STATUS: ${name}`, () =>
        Effect.gen(function*() {
          const captured = yield* Capture.make
          yield* Effect.gen(function*() {
            const { port } = yield* Pair.start(mount, {
              ...secrets,
              users: ["@canary:.*"],
              steps: [Http.response(500, echo)]
            })
            const answer = yield* RawClient.send(port, inHeader)
            assert.strictEqual(answer.status, 502)
            assert.include(answer.text, "M_BAD_STATUS")
            assert.include(answer.text, "<redacted>")
            assert.notInclude(answer.bytes.toString(), canary)
          }).pipe(Effect.provide(captured.layer))
          assert.notInclude(captured.text().replaceAll("%40canary", "").replaceAll("@canary", ""), canary)
        }))
    }

    it.effect("D8 keeps the token of a stranger, of a user and of another appservice out of answer, log and spans", () =>
      Effect.gen(function*() {
        const captured = yield* Capture.make
        yield* Effect.gen(function*() {
          const { port } = yield* Pair.start(mount)
          for (const token of ["stranger-canary", Fixture.tokens.user, Fixture.tokens.otherAs]) {
            for (
              const bytes of [
                Fixture.ping({ token }),
                Http.request({ target: `${Fixture.path()}?access_token=${token}`, body: "{}" }),
                Fixture.ping({ token, id: "id-canary" }).toString().replaceAll("id-canary", "nobody")
              ]
            ) {
              const answer = yield* RawClient.send(port, bytes)
              assert.include([401, 403], answer.status)
              assert.notInclude(answer.bytes.toString(), canary)
            }
          }
        }).pipe(Effect.provide(captured.layer))
        assert.notInclude(captured.text(), canary)
      }))

    it.effect("D8 keeps the hs_token out of what an appservice answers, logs and traces", () =>
      Effect.gen(function*() {
        const captured = yield* Capture.make
        yield* Effect.gen(function*() {
          const port = yield* mount.appservice({
            registration: { hs_token: Redacted.make(secrets.hsToken) },
            onPing: () => Effect.fail("no")
          })
          const query = encodeURIComponent(secrets.hsToken)
          for (
            const [status, bytes] of [
              [200, Http.request({ target: Fixture.appservicePath, headers: [Fixture.bearer(secrets.hsToken)] })],
              [200, Http.request({ target: `${Fixture.appservicePath}?access_token=${query}` })],
              [403, Http.request({ target: `${Fixture.appservicePath}?access_token=wrong-canary` })],
              [403, Http.request({ target: Fixture.appservicePath, headers: [Fixture.bearer("wrong-canary")] })],
              [
                400,
                Http.request({
                  target: `${Fixture.appservicePath}?access_token=${query}`,
                  body: "{\"transaction_id\":\"id-canary\""
                })
              ]
            ] as const
          ) {
            const answer = yield* RawClient.send(port, bytes)
            assert.strictEqual(answer.status, status)
            assert.notInclude(answer.bytes.toString(), canary)
          }
        }).pipe(Effect.provide(captured.layer))
        // The hook's failure was logged, so the log was really looked at.
        assert.include(captured.text(), "The hook of a received ping failed")
        assert.notInclude(captured.text(), canary)
      }))

    it.effect("D8 says nothing of a defect in its answer, and logs it", () =>
      Effect.gen(function*() {
        const captured = yield* Capture.make
        yield* Effect.gen(function*() {
          const { port } = yield* Pair.start(mount, {
            transport: Layer.succeed(
              OutgoingTransport,
              OutgoingTransport.of({ send: () => Effect.die(new Error("a defect's own text")) })
            )
          })
          const answer = yield* RawClient.send(port, Fixture.ping())
          assert.strictEqual(answer.text, "{\"errcode\":\"M_UNKNOWN\",\"error\":\"Internal server error\"}")
        }).pipe(Effect.provide(captured.layer))
        assert.include(captured.lines.join("\n"), "a defect's own text")
      }))
  })
}

describe(`on ${effectHttpApp.name}`, () => {
  it.effect("D8 redacts the access_token in the spans of the app's own server", () =>
    Effect.gen(function*() {
      const captured = yield* Capture.make
      yield* Effect.gen(function*() {
        const { port } = yield* Pair.start(effectHttpApp)
        const target = `${Fixture.path()}?access_token=${Fixture.tokens.as}`
        assert.strictEqual((yield* RawClient.send(port, Http.request({ target, body: "{}" }))).status, 200)
      }).pipe(Effect.provide(captured.layer))
      const server = captured.spans.find((span) => span.kind === "server")
      assert.strictEqual(server?.attributes.get("url.query"), "access_token=REDACTED")
      assert.notInclude(captured.text(), canary)
    }))

  it.effect("D8 asks a client's redirect target nothing, so that no Referer can tell it anything", () =>
    Effect.gen(function*() {
      const target = yield* make([Http.response(200)])
      const { port } = yield* Pair.start(effectHttpApp, {
        url: withSecrets,
        steps: [Http.response(307, "", [["Location", `${target.url}/`]])]
      })
      assert.strictEqual((yield* RawClient.send(port, Fixture.ping())).status, 502)
      assert.isEmpty(target.calls)
    }))
})
