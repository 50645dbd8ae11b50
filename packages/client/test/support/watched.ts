/** Pings that a test scripts, so that TestClock owns all of the time. */
import type * as Watch from "@appservice-ping/client/Watch"
import {
  ConnectionFailed,
  type ConnectionTimeout,
  LimitExceeded,
  UnknownToken
} from "@appservice-ping/domain/PingError"
import { Undecided } from "@appservice-ping/domain/TransportError"
import type { SeenButFailed } from "@appservice-ping/domain/VerifiedPingError"
import { Clock, Duration, Effect, Random } from "effect"
import { TestClock } from "effect/testing"

export type Scripted = Effect.Effect<
  { readonly duration_ms: number },
  ConnectionFailed | ConnectionTimeout | LimitExceeded | UnknownToken | Undecided | SeenButFailed
>

export const ok: Scripted = Effect.succeed({ duration_ms: 7 })
export const temporary: Scripted = Effect.fail(new ConnectionFailed({ error: "refused" }))
export const permanent: Scripted = Effect.fail(new UnknownToken({ error: "unknown" }))
export const undecided: Scripted = Effect.fail(
  new Undecided({ url: "https://matrix.example", after: Duration.seconds(9) })
)

export const limited = (retryAfter: Duration.Input): Scripted =>
  Effect.fail(new LimitExceeded({ error: "slow down", retryAfter: Duration.fromInputUnsafe(retryAfter) }))

/** A ping that takes this long. */
export const slow = (duration: Duration.Input, ping: Scripted = ok): Scripted => Effect.delay(ping, duration)

/** Does one thing after the other, and the last one for ever; keeps when each ping began, and how many ran at once. */
export const script = (...pings: ReadonlyArray<Scripted>) => {
  const state = { started: new Array<number>(), running: 0, most: 0, interrupted: 0 }
  const ping: Scripted = Effect.gen(function*() {
    const nth = state.started.push(yield* Clock.currentTimeMillis) - 1
    state.running++
    state.most = Math.max(state.most, state.running)
    return yield* (pings[Math.min(nth, pings.length - 1)] ?? ok)
  }).pipe(
    Effect.onInterrupt(() => Effect.sync(() => void state.interrupted++)),
    Effect.ensuring(Effect.sync(() => void state.running--))
  )
  return { ping, state }
}

/** Chance that always says the same. */
export const chance = (value: number) =>
  Effect.provideService(Random.Random, { nextDoubleUnsafe: () => value, nextIntUnsafe: () => 0 })

/** Lets everything happen that needs no time: fibers that wake each other take a few turns. */
export const settled = Effect.repeat(TestClock.adjust(0), { times: 3 })

/** No chance at all: a ping at once, and then one every 60 seconds. */
export const exact = { spread: 0, jitter: 0 }

export const seconds = (started: ReadonlyArray<number>) => started.map((millis) => millis / 1000)

export const tagOf = (watch: Watch.Watch["Service"], key: string) =>
  Effect.map(watch.status(key), (status) => status?.health._tag)
