import { type Name, names } from "@appservice-ping/testbed/peer/AppservicePeer"
import * as AppserviceProfile from "@appservice-ping/testbed/peer/AppserviceProfile"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import * as Fixture from "../rules/support/Fixture.ts"
import { onVirtualTime } from "../support/ask.ts"
import { appservicePing, type Asked, type Mode, modes, short } from "./support/Modes.ts"

type Expected = { readonly [K in Name]: string }

const all = (text: string): Expected => ({
  "mautrix-go": text,
  "mautrix-python": text,
  "matrix-bot-sdk": text,
  trixnity: text
})

const inQuery = (target: string): Asked => appservicePing({ token: null, target })

/** What each framework answers without having asked for a ping. */
const cases: ReadonlyArray<{ readonly name: string; readonly asked: Asked; readonly expected: Expected }> = [
  {
    name: "A2 a wrong hs_token",
    asked: appservicePing({ token: "another-hs-token" }),
    expected: { ...all("401 M_UNKNOWN_TOKEN"), "matrix-bot-sdk": "401 AUTH_FAILED", trixnity: "403 M_FORBIDDEN" }
  },
  {
    name: "A3 no hs_token",
    asked: appservicePing({ token: null }),
    expected: {
      "mautrix-go": "401 M_MISSING_TOKEN",
      "mautrix-python": "401 M_UNKNOWN_TOKEN",
      "matrix-bot-sdk": "401 AUTH_FAILED",
      trixnity: "401 M_UNAUTHORIZED"
    }
  },
  {
    name: "A1 the hs_token in the query alone",
    asked: inQuery(`${Fixture.appservicePath}?access_token=${Fixture.tokens.hs}`),
    expected: { ...all("200"), "matrix-bot-sdk": "400 BAD_REQUEST" }
  },
  {
    name: "A2 a wrong hs_token in the query beside the right header",
    asked: appservicePing({ target: `${Fixture.appservicePath}?access_token=another-hs-token` }),
    expected: {
      "mautrix-go": "200",
      "mautrix-python": "401 M_UNKNOWN_TOKEN",
      "matrix-bot-sdk": "400 BAD_REQUEST",
      trixnity: "403 M_FORBIDDEN"
    }
  },
  {
    name: "A4 an empty body",
    asked: appservicePing({ body: "" }),
    expected: {
      ...all("400 M_NOT_JSON"),
      "matrix-bot-sdk": "400 text/html; charset=utf-8",
      trixnity: "400 M_BAD_JSON"
    }
  },
  {
    name: "A4 a body that is no JSON",
    asked: appservicePing({ body: "{not json" }),
    expected: {
      ...all("400 M_NOT_JSON"),
      "matrix-bot-sdk": "400 text/html; charset=utf-8",
      trixnity: "400 M_BAD_JSON"
    }
  },
  {
    name: "A4 a body that is no JSON, from a stranger",
    asked: appservicePing({ body: "{not json", token: "another-hs-token" }),
    expected: {
      ...all("401 M_UNKNOWN_TOKEN"),
      "matrix-bot-sdk": "400 text/html; charset=utf-8",
      trixnity: "403 M_FORBIDDEN"
    }
  },
  {
    name: "A4 a transaction_id of null",
    asked: appservicePing({ body: "{\"transaction_id\":null}" }),
    expected: { ...all("200"), "matrix-bot-sdk": "400 BAD_REQUEST" }
  },
  {
    name: "A4 a transaction_id that is no string",
    asked: appservicePing({ body: "{\"transaction_id\":7}" }),
    expected: { ...all("200"), "matrix-bot-sdk": "400 BAD_REQUEST", trixnity: "400 M_BAD_JSON" }
  },
  {
    name: "A5 the transaction_id of somebody else",
    asked: appservicePing({ body: "{\"transaction_id\":\"somebody-else\"}" }),
    expected: { ...all("200"), "matrix-bot-sdk": "400 BAD_REQUEST" }
  },
  {
    name: "A6 an unknown route",
    asked: appservicePing({ target: "/_matrix/app/v1/pong" }),
    expected: {
      ...all("404 M_UNRECOGNIZED"),
      "mautrix-go": "404 text/plain; charset=utf-8",
      "mautrix-python": "404 text/plain; charset=utf-8"
    }
  },
  {
    name: "A9 the unstable route",
    asked: appservicePing({ target: Fixture.appserviceUnstablePath }),
    expected: {
      ...all("404 M_UNRECOGNIZED"),
      "mautrix-go": "404 text/plain; charset=utf-8",
      "mautrix-python": "404 text/plain; charset=utf-8"
    }
  }
]

const serve = Effect.fnUntraced(function*(mode: Mode, name: Name) {
  const profile = yield* AppserviceProfile.make(name, { registration: Fixture.registration() })
  return { ...profile, ask: yield* mode.serve(profile.handle) }
})

for (const mode of modes) {
  for (const name of names) {
    describe(`${name} ${mode.name}`, () => {
      for (const { asked, expected, name: what } of cases) {
        it.live(`${what}: ${expected[name]}`, () =>
          mode.run(Effect.gen(function*() {
            const { ask, received } = yield* serve(mode, name)
            assert.strictEqual(short(yield* ask(asked)), expected[name])
            assert.lengthOf(yield* received, expected[name] === "200" ? 1 : 0)
          })))
      }

      it.live("A5 answers the ping that it has asked for itself, and remembers it", () =>
        mode.run(Effect.gen(function*() {
          const { ask, received, startUp } = yield* serve(mode, name)
          const started = yield* startUp((transactionId) =>
            Effect.gen(function*() {
              const foreign = yield* ask(appservicePing({ body: "{\"transaction_id\":\"somebody-else\"}" }))
              assert.strictEqual(short(foreign), name === "matrix-bot-sdk" ? "400 BAD_REQUEST" : "200")
              return (yield* ask(appservicePing({ body: JSON.stringify({ transaction_id: transactionId }) }))).status
            })
          )
          assert.deepStrictEqual(started, { attempts: 1, isConfirmed: true, exitCode: undefined })
          const others = name === "matrix-bot-sdk" ? [] : ["somebody-else"]
          assert.deepStrictEqual(yield* received, [...others, `${name}_1`])
          const again = yield* ask(appservicePing({ body: JSON.stringify({ transaction_id: `${name}_1` }) }))
          assert.strictEqual(short(again), name === "matrix-bot-sdk" ? "400 BAD_REQUEST" : "200")
        })))
    })
  }
}

interface Given {
  readonly status: number | undefined
  readonly attempts: number
  readonly seconds: number
  readonly exitCode: number | undefined
}

/** What becomes of a start when the homeserver gives this answer each time. */
const starts: { readonly [K in Name]: ReadonlyArray<Given> } = {
  "mautrix-go": [
    { status: 502, attempts: 7, seconds: 30, exitCode: 13 },
    { status: 401, attempts: 7, seconds: 30, exitCode: 13 },
    { status: undefined, attempts: 7, seconds: 30, exitCode: 13 }
  ],
  "mautrix-python": [
    { status: 502, attempts: 5, seconds: 60, exitCode: 16 },
    { status: 504, attempts: 5, seconds: 60, exitCode: 16 },
    { status: 401, attempts: 1, seconds: 0, exitCode: 16 },
    { status: undefined, attempts: 1, seconds: 0, exitCode: 16 }
  ],
  "matrix-bot-sdk": [{ status: 502, attempts: 1, seconds: 0, exitCode: undefined }],
  trixnity: [{ status: 502, attempts: 1, seconds: 0, exitCode: undefined }]
}

describe("own retries", () => {
  for (const name of names) {
    for (const { attempts, exitCode, seconds, status } of starts[name]) {
      it.live(`${name}, ${status ?? "no answer"}: ${attempts} attempts in ${seconds} s`, () =>
        onVirtualTime(
          Effect.gen(function*() {
            const { startUp } = yield* AppserviceProfile.make(name, { registration: Fixture.registration() })
            const asked: Array<string> = []
            const start = yield* Clock.currentTimeMillis
            const started = yield* startUp((transactionId) =>
              Effect.sync(() => {
                asked.push(transactionId)
                return status
              })
            )
            assert.deepStrictEqual(started, { attempts, isConfirmed: false, exitCode })
            assert.strictEqual((yield* Clock.currentTimeMillis) - start, seconds * 1000)
            assert.strictEqual(new Set(asked).size, attempts)
          }),
          "1 hour"
        ))
    }

    it.live(`${name} stops as soon as a ping is confirmed`, () =>
      onVirtualTime(
        Effect.gen(function*() {
          const { startUp } = yield* AppserviceProfile.make(name, { registration: Fixture.registration() })
          const statuses = [502, 200, 502]
          const started = yield* startUp(() => Effect.sync(() => statuses.shift()))
          const retries = name === "mautrix-go" || name === "mautrix-python"
          assert.deepStrictEqual(started, { attempts: retries ? 2 : 1, isConfirmed: retries, exitCode: undefined })
        }),
        "1 hour"
      ))
  }
})
