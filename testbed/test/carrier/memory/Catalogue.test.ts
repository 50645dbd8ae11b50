import * as Catalogue from "@appservice-ping/testbed/fault/Catalogue"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Expected from "@appservice-ping/testbed/oracle/Expected"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Virtual from "@appservice-ping/testbed/play/Virtual"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { makePair, timeouts } from "./support/Pair.ts"

const singles = Catalogue.singles({ pingTimeout: timeouts.ping, clientTimeout: timeouts.client })

/** What the rules and the program of the fault ask for. */
const expectedOf = (
  { fault, leg }: Catalogue.Single,
  draw: number,
  tls: boolean,
  flavour: "node" | "undici" | "fetch"
) => {
  const action = Fault.actionOf(fault, { leg, draw, time: 0, now: 0, path: "/" })
  const stage = Fault.stageOf(fault)
  return leg === "to_appservice"
    ? Expected.ofHomeserver(
      Fault.actionOf(Fault.pass, { leg, draw, time: 0, now: 0 }),
      Expected.ofAppservice(action, { timeout: timeouts.ping, tls, stage }),
      { timeout: timeouts.client, tls, flavour }
    )
    : Expected.ofHomeserver(action, Expected.ofHealthy, { timeout: timeouts.client, tls, stage, flavour })
}

const check = (single: Catalogue.Single, tls: boolean, flavour: "node" | "undici" | "fetch") =>
  Virtual.run(
    Effect.gen(function*() {
      const { fault, leg } = single
      const pair = yield* makePair({ tls, flavour })
      const injection = yield* pair.session.inject(Plan.of(leg, fault))
      const got = yield* Effect.result(pair.ping("t"))
      // An application goes on for a second when its client has left.
      yield* Effect.sleep("10 seconds")
      const drawn = (yield* pair.session.journal).flatMap(({ what }) =>
        what.event === "decided" ? [what.draw ?? 0] : []
      )
      const outcome = expectedOf(single, drawn[0] ?? 0, tls, flavour)
      const text = JSON.stringify({ expected: outcome, got })
      assert.isTrue(Expected.matches(outcome.expected, got), text)
      assert.lengthOf(pair.received, outcome.calls.length, text)
      // One ping makes no second request, and a healthy turn does nothing.
      const isIdle = fault.type === "pass" || ("phase" in fault && fault.phase === "next_request")
      assert.strictEqual(yield* injection.applied, isIdle ? 0 : 1, text)
      return Result.isSuccess(got)
    }).pipe(Effect.scoped)
  )

describe("MemoryHttpClient, every fault of the catalogue", () => {
  for (const single of singles) {
    const name = `${single.leg}: ${Fault.describe(single.fault)}`
    it.effect(`${name}: comes out as expected with each client, applied once`, () =>
      Effect.gen(function*() {
        for (const flavour of ["node", "undici", "fetch"] as const) {
          yield* check(single, true, flavour)
          if (!Fault.needsTls(single.fault)) yield* check(single, false, flavour)
        }
      }))
  }

  it.effect("asks the appservice for a second after the client has left, and not later", () =>
    Effect.gen(function*() {
      for (const [clientTimeout, calls] of [["1001 millis", 1], ["999 millis", 0]] as const) {
        yield* Virtual.run(
          Effect.gen(function*() {
            const pair = yield* makePair({ pingTimeout: "3 seconds", clientTimeout })
            yield* pair.session.inject(Plan.of("to_appservice", Fault.latency("2 seconds")))
            assert.strictEqual((yield* Effect.flip(pair.ping()))._tag, "Undecided")
            yield* Effect.sleep("10 seconds")
            assert.lengthOf(pair.received, calls)
          }).pipe(Effect.scoped)
        )
      }
    }))
})
