import * as AppserviceHandler from "@appservice-ping/testbed/peer/AppserviceHandler"
import { type Name, names, peers } from "@appservice-ping/testbed/peer/AppservicePeers"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import * as Fixture from "../rules/support/Fixture.ts"
import { onVirtualTime } from "../support/ask.ts"
import { appservicePing, type Mode, modes, short } from "./support/Modes.ts"

/** Those that have the ping. */
const pinging = names.filter((name) => peers[name].ownPing !== undefined)

const serve = Effect.fnUntraced(function*(mode: Mode, name: Name) {
  const made = yield* AppserviceHandler.make(peers[name], { registration: Fixture.registration() })
  return { ...made, ask: yield* mode.serve(made.handle) }
})

for (const mode of modes) {
  for (const name of pinging) {
    describe(`${name} ${mode.name}`, () => {
      it.live("A5 answers the ping that it has asked for itself, and remembers it", () =>
        mode.run(Effect.gen(function*() {
          const { ask, received, startUp } = yield* serve(mode, name)
          const started = yield* startUp((transactionId) =>
            Effect.gen(function*() {
              const foreign = yield* ask(appservicePing({ body: "{\"transaction_id\":\"somebody-else\"}" }))
              assert.strictEqual(short(foreign), name === "matrix_bot_sdk_element" ? "400 BAD_REQUEST" : "200")
              return (yield* ask(appservicePing({ body: JSON.stringify({ transaction_id: transactionId }) }))).status
            })
          )
          assert.deepStrictEqual(started, { attempts: 1, isConfirmed: true, exitCode: undefined })
          const others = name === "matrix_bot_sdk_element" ? [] : ["somebody-else"]
          assert.deepStrictEqual(yield* received, [...others, `${peers[name].provenance.software}_1`])
          const again = yield* ask(
            appservicePing({ body: JSON.stringify({ transaction_id: `${peers[name].provenance.software}_1` }) })
          )
          assert.strictEqual(short(again), name === "matrix_bot_sdk_element" ? "400 BAD_REQUEST" : "200")
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
const starts: { readonly [name: string]: ReadonlyArray<Given> } = {
  mautrix_go: [
    { status: 502, attempts: 7, seconds: 30, exitCode: 13 },
    { status: 401, attempts: 7, seconds: 30, exitCode: 13 },
    { status: undefined, attempts: 7, seconds: 30, exitCode: 13 }
  ],
  mautrix_python: [
    { status: 502, attempts: 5, seconds: 60, exitCode: 16 },
    { status: 504, attempts: 5, seconds: 60, exitCode: 16 },
    { status: 401, attempts: 1, seconds: 0, exitCode: 16 },
    { status: undefined, attempts: 1, seconds: 0, exitCode: 16 }
  ],
  matrix_bot_sdk_element: [{ status: 502, attempts: 1, seconds: 0, exitCode: undefined }],
  trixnity: [{ status: 502, attempts: 1, seconds: 0, exitCode: undefined }]
}

describe("own retries", () => {
  for (const name of pinging) {
    for (const { attempts, exitCode, seconds, status } of starts[name] ?? []) {
      it.live(`${name}, ${status ?? "no answer"}: ${attempts} attempts in ${seconds} s`, () =>
        onVirtualTime(
          Effect.gen(function*() {
            const { startUp } = yield* AppserviceHandler.make(peers[name], { registration: Fixture.registration() })
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
          const { startUp } = yield* AppserviceHandler.make(peers[name], { registration: Fixture.registration() })
          const statuses = [502, 200, 502]
          const started = yield* startUp(() => Effect.sync(() => statuses.shift()))
          const retries = name === "mautrix_go" || name === "mautrix_python"
          assert.deepStrictEqual(started, { attempts: retries ? 2 : 1, isConfirmed: retries, exitCode: undefined })
        }),
        "1 hour"
      ))
  }

  for (const name of names.filter((name) => !pinging.includes(name))) {
    it.effect(`${name} never asks for a ping`, () =>
      Effect.gen(function*() {
        const { startUp } = yield* AppserviceHandler.make(peers[name], { registration: Fixture.registration() })
        assert.deepStrictEqual(yield* startUp(() => Effect.succeed(200)), {
          attempts: 0,
          isConfirmed: true,
          exitCode: undefined
        })
      }))
  }
})
