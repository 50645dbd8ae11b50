import * as Catalogue from "@appservice-ping/testbed/fault/Catalogue"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Expectation from "@appservice-ping/testbed/oracle/Expectation"
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
  tls: boolean
) => {
  const action = Fault.actionOf(fault, { leg, draw, time: 0, now: 0, path: "/" })
  const stage = Fault.stageOf(fault)
  return leg === "to_appservice"
    ? Expectation.ofHomeserver(
      Fault.actionOf(Fault.pass, { leg, draw, time: 0, now: 0 }),
      Expectation.ofAppservice(action, { timeout: timeouts.ping, tls, stage }),
      { timeout: timeouts.client, tls }
    )
    : Expectation.ofHomeserver(action, Expectation.healthy, { timeout: timeouts.client, tls, stage })
}

const check = (single: Catalogue.Single, tls: boolean) =>
  Virtual.run(
    Effect.gen(function*() {
      const { fault, leg } = single
      const pair = yield* makePair({ tls })
      const injection = yield* pair.session.inject(Plan.of(leg, fault))
      const got = yield* Effect.result(pair.ping("t"))
      // An application goes on for a second when its client has left.
      yield* Effect.sleep("10 seconds")
      const drawn = (yield* pair.session.journal).flatMap(({ what }) =>
        what.event === "decided" ? [what.draw ?? 0] : []
      )
      const outcome = expectedOf(single, drawn[0] ?? 0, tls)
      const text = JSON.stringify({ expected: outcome, got })
      assert.isTrue(Expectation.matches(outcome.answer, got), text)
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
    it.effect(`${name}: comes out as expected, applied once`, () =>
      Effect.gen(function*() {
        yield* check(single, true)
        if (!Fault.needsTls(single.fault)) yield* check(single, false)
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
