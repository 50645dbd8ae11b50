/** Durations and deadlines while the wall clock jumps: D10, over every mount. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { assertHomeserverError, assertPingSucceeded } from "./support/Answers.ts"
import * as Fixture from "./support/Fixture.ts"
import * as Http from "./support/Http.ts"
import { mounts } from "./support/Mounts.ts"
import * as Pair from "./support/Pair.ts"
import * as RawClient from "./support/RawClient.ts"

/** The test's clock with a wall clock that is an hour earlier, or later, each time it is read. */
const jumping = (clock: Clock.Clock, byMillis: number): Clock.Clock => {
  let reads = 0
  const wallMillis = () => 1_800_000_000_000 + byMillis * reads++
  const wallNanos = () => BigInt(wallMillis()) * 1_000_000n
  return {
    currentTimeMillisUnsafe: wallMillis,
    currentTimeMillis: Effect.sync(wallMillis),
    currentTimeNanosUnsafe: wallNanos,
    currentTimeNanos: Effect.sync(wallNanos),
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) => clock.sleep(duration)
  }
}

for (const mount of mounts) {
  describe(`on ${mount.name}`, () => {
    for (const [name, byMillis] of [["back", -3_600_000], ["forward", 3_600_000]] as const) {
      it.effect(`D10 measures the same where the wall clock jumps ${name}`, () =>
        Effect.gen(function*() {
          const clock = jumping(yield* Clock.Clock, byMillis)
          const { appservice, port } = yield* Pair.start(mount, { steps: [] }).pipe(
            Effect.provideService(Clock.Clock, clock)
          )
          const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
          const call = yield* appservice.next
          yield* TestClock.adjust("150 millis")
          yield* call.write(Http.response(200))
          assertPingSucceeded(yield* Fiber.join(fiber), 150)
        }))

      it.effect(`D10 keeps the deadline where the wall clock jumps ${name}`, () =>
        Effect.gen(function*() {
          const clock = jumping(yield* Clock.Clock, byMillis)
          const { appservice, port } = yield* Pair.start(mount, { steps: [] }).pipe(
            Effect.provideService(Clock.Clock, clock)
          )
          const fiber = yield* Effect.forkChild(RawClient.send(port, Fixture.ping()))
          yield* appservice.next
          yield* TestClock.adjust("29999 millis")
          assert.isUndefined(fiber.pollUnsafe())
          yield* TestClock.adjust("1 millis")
          assertHomeserverError(yield* Fiber.join(fiber), 504, "M_CONNECTION_TIMEOUT")
        }))
    }
  })
}
