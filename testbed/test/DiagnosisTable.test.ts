// What a user is told after each fault: always a cause, somebody who has to act, and something to do.
import { diagnose } from "@appservice-ping/domain/Diagnosis"
import * as Catalogue from "@appservice-ping/testbed/fault/Catalogue"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as FaultPairs from "@appservice-ping/testbed/scenario/FaultPairs"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Result } from "effect"

const deadlines = { pingTimeout: Duration.seconds(30), clientTimeout: Duration.seconds(100) }
const context = { url: "http://appservice.test:29300", homeserver: "http://homeserver.test" }

describe("the diagnosis of every fault", () => {
  it.live("tells a cause, who must act and what to do", () =>
    Effect.gen(function*() {
      const cells = yield* FaultPairs.alone(Catalogue.singles(deadlines), deadlines)
      const vague = cells.flatMap(({ got, toAppservice, toHomeserver }) => {
        if (Result.isSuccess(got)) return []
        const { actor, advice, cause } = diagnose(got.failure, context)
        const isTold = !/nothing says why|does not say why/.test(cause) && cause !== "" && advice !== "" &&
          actor.length > 0
        return isTold ? [] : [Fault.describe(toHomeserver ?? toAppservice ?? Fault.pass)]
      })
      // A homeserver that answers 500 M_UNKNOWN and not a word more leaves nothing to read.
      assert.deepStrictEqual(vague, ["unknown (500)"])
      assert.isAbove(cells.length, 300)
    }))
})
