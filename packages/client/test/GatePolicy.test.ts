// The gate's decisions, as properties of pure functions.
import { checkedUnsafe, type GatePolicy, nextWait, step } from "@appservice-ping/client/GatePolicy"
import { LimitExceeded } from "@appservice-ping/domain/PingError"
import { SeenButFailed } from "@appservice-ping/domain/VerifiedPingError"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Schema } from "effect"

const between = (minimum: number, maximum: number) =>
  Schema.Finite.pipe(Schema.check(Schema.isBetween({ minimum, maximum })))

const whole = (minimum: number, maximum: number) =>
  Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum, maximum })))

const Policy = Schema.Struct({
  firstDelay: whole(0, 100_000),
  maxDelay: whole(0, 1_000_000),
  factor: between(1, 10),
  jitter: between(0, 1),
  deadline: whole(0, 10_000_000),
  maxAttempts: Schema.optionalKey(whole(1, 50))
})

const Random = between(0, 1)

const millis = (duration: Duration.Duration): number => Duration.toMillis(duration)

describe("nextWait", () => {
  it("A10 doubles from 1 second to 30 seconds by default", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 5000].map((attempt) => millis(nextWait("x", attempt, 0, {})))
    assert.deepStrictEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  })

  it("A10 takes half of a wait away at most by default, and all of it with a jitter of 1", () => {
    assert.strictEqual(millis(nextWait("x", 1, 1, {})), 500)
    assert.strictEqual(millis(nextWait("x", 1, 0.5, {})), 750)
    assert.strictEqual(millis(nextWait("x", 1, 1, { jitter: 1 })), 0)
    assert.strictEqual(millis(nextWait("x", 3, 0.25, { jitter: 1 })), 3000)
    assert.strictEqual(millis(nextWait("x", 1, 1, { jitter: 0 })), 1000)
  })

  it("A10 grows by its factor", () => {
    const waits = [1, 2, 3].map((attempt) => millis(nextWait("x", attempt, 0, { factor: 3, jitter: 0 })))
    assert.deepStrictEqual(waits, [1000, 3000, 9000])
  })

  it.prop("A10 is never longer than its maximum, nor negative, whatever the policy says", [
    Policy,
    whole(1, 10_000),
    Random
  ], ([policy, attempt, random]) => {
    const wait = millis(nextWait("x", attempt, random, policy))
    assert.isAtLeast(wait, 0)
    assert.isAtMost(wait, policy.maxDelay)
  })

  it.prop("A10 does not shrink from attempt to attempt where nothing is left to chance", [
    Policy,
    whole(1, 10_000),
    Random
  ], ([policy, attempt, random]) => {
    const exact = { ...policy, jitter: 0 }
    assert.isAtMost(millis(nextWait("x", attempt, random, exact)), millis(nextWait("x", attempt + 1, random, exact)))
  })

  it.prop("C18 is what a Retry-After says, but at least the first wait", [Policy, whole(0, 10_000_000), Random], (
    [policy, retryAfter, random]
  ) => {
    const error = new LimitExceeded({ retryAfter: Duration.millis(retryAfter) })
    const expected = Math.max(retryAfter, policy.firstDelay)
    assert.strictEqual(millis(nextWait(error, 7, random, policy)), expected)
    assert.strictEqual(millis(nextWait(new SeenButFailed({ error }), 7, random, policy)), expected)
  })
})

describe("step", () => {
  const failed = (attempt: number, elapsed: number, policy: GatePolicy, temporary = true, error: unknown = "x") =>
    step({ attempt, elapsed: Duration.millis(elapsed), random: 0 }, { error, temporary }, policy)

  it("A10 retries up to the deadline, and not at it", () => {
    assert.deepStrictEqual(failed(1, 8999, { deadline: "10 seconds" }), { _tag: "Retry", wait: Duration.seconds(1) })
    assert.deepStrictEqual(failed(1, 9000, { deadline: "10 seconds" }), { _tag: "GiveUp", reason: "deadline" })
  })

  it("A10 retries up to the last attempt, and not after it", () => {
    assert.deepStrictEqual(failed(2, 0, { maxAttempts: 3 }), { _tag: "Retry", wait: Duration.seconds(2) })
    assert.deepStrictEqual(failed(3, 0, { maxAttempts: 3 }), { _tag: "GiveUp", reason: "attempts" })
  })

  it("C18 A10 gives up at once on a Retry-After beyond the deadline", () => {
    const error = new LimitExceeded({ retryAfter: Duration.seconds(10) })
    assert.deepStrictEqual(failed(1, 0, { deadline: "10 seconds" }, true, error), {
      _tag: "GiveUp",
      reason: "deadline"
    })
    assert.deepStrictEqual(failed(1, 0, { deadline: "10001 millis" }, true, error), {
      _tag: "Retry",
      wait: Duration.seconds(10)
    })
  })

  it.prop(
    "A10 never retries what only a person can fix",
    [Policy, whole(1, 1000), Random],
    ([policy, attempt, random]) => {
      const state = { attempt, elapsed: Duration.zero, random }
      assert.deepStrictEqual(step(state, { error: "x", temporary: false }, policy), {
        _tag: "GiveUp",
        reason: "permanent"
      })
    }
  )

  it.prop("A10 retries only what ends its wait before the deadline, with an attempt left", [
    Policy,
    whole(1, 100),
    whole(0, 20_000_000),
    Random
  ], ([policy, attempt, elapsed, random]) => {
    const decision = step(
      { attempt, elapsed: Duration.millis(elapsed), random },
      { error: "x", temporary: true },
      policy
    )
    const wait = millis(nextWait("x", attempt, random, policy))
    const hasAttempt = policy.maxAttempts === undefined || attempt < policy.maxAttempts
    const expected = !hasAttempt ? "attempts" : elapsed + wait >= policy.deadline ? "deadline" : wait
    assert.strictEqual(decision._tag === "Retry" ? millis(decision.wait) : decision.reason, expected)
  })

  it.prop("A10 ends in the end: the waits of a gate that fails for ever reach its deadline", [
    Schema.Struct({ firstDelay: whole(1, 1000), maxDelay: whole(1, 1000), deadline: whole(0, 10_000) }),
    Schema.Array(Random)
  ], ([policy, randoms]) => {
    let elapsed = 0
    for (let attempt = 1; attempt <= 30_000; attempt++) {
      const random = (randoms[attempt % Math.max(1, randoms.length)] ?? 0.5) / 2
      const decision = step(
        { attempt, elapsed: Duration.millis(elapsed), random },
        { error: "x", temporary: true },
        policy
      )
      if (decision._tag === "GiveUp") {
        assert.strictEqual(decision.reason, "deadline")
        return
      }
      elapsed += millis(decision.wait)
    }
    assert.fail("it never gave up")
  })
})

describe("a policy that bounds nothing", () => {
  it.each<readonly [GatePolicy, string]>([
    [{ firstDelay: -1 }, "firstDelay"],
    [{ firstDelay: Infinity }, "firstDelay"],
    [{ maxDelay: Number.NaN }, "maxDelay"],
    [{ factor: 0.5 }, "factor"],
    [{ factor: Infinity }, "factor"],
    [{ jitter: 2 }, "jitter"],
    [{ deadline: Number.NaN }, "deadline"],
    [{ deadline: "-1 seconds" }, "deadline"],
    [{ maxAttempts: 0 }, "maxAttempts"],
    [{ maxAttempts: Number.NaN }, "maxAttempts"]
  ])("is refused by the name of the option: %j", (policy, option) => {
    assert.throws(() => checkedUnsafe(policy), new RegExp(`^${option}: expected`))
  })

  it("may wait for ever where it says so", () => {
    assert.doesNotThrow(() => checkedUnsafe({ deadline: "Infinity" }))
  })
})
