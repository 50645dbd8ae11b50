import type { Handler } from "@appservice-ping/server/Exchange"
import * as MemoryHttpClient from "@appservice-ping/testbed/carrier/memory/MemoryHttpClient"
import * as MemoryNetwork from "@appservice-ping/testbed/carrier/memory/MemoryNetwork"
import * as Catalogue from "@appservice-ping/testbed/fault/Catalogue"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Latency from "@appservice-ping/testbed/fault/Latency"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Session from "@appservice-ping/testbed/play/Session"
import * as Virtual from "@appservice-ping/testbed/play/Virtual"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect } from "effect"

const url = new URL("http://server.test")

const handle: Handler = () => Effect.succeed({ status: 200, headers: {}, body: "{}" })

/** When the request comes, in milliseconds since the plan began: in the middle of nothing. */
const at = 7

describe("MemoryHttpClient, every latency of the catalogue", () => {
  for (const { fault, leg } of Catalogue.singles({ pingTimeout: "1 second" })) {
    if (fault.type !== "latency") continue
    it.effect(`${leg}: ${Fault.describe(fault)}: is the time that the answer takes, to the microsecond`, () =>
      Virtual.run(Effect.scoped(Effect.gen(function*() {
        const session = yield* Session.make()
        yield* session.inject(Plan.of(leg, fault))
        const client = yield* MemoryHttpClient.make(yield* MemoryNetwork.make([{ url, handle, leg, session }]))
        yield* Effect.sleep(at)
        const start = yield* Clock.monotonicTimeNanos
        const response = yield* client.post(url)
        yield* response.text
        const took = Duration.nanos((yield* Clock.monotonicTimeNanos) - start)
        const decided = (yield* session.journal).flatMap(({ what }) => what.event === "decided" ? [what.draw ?? 0] : [])
        assert.lengthOf(decided, 1)
        const wanted = Latency.sample(fault.latency, decided[0] ?? Number.NaN, at)
        assert.isAbove(Duration.toMillis(wanted), 0)
        assert.strictEqual(Duration.toNanosUnsafe(took), Duration.toNanosUnsafe(wanted))
      }))))
  }
})
