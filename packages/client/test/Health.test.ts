import {
  checkedUnsafe,
  failure,
  type Health,
  type HealthPolicy,
  isUp,
  lastSuccess,
  type Observation,
  step,
  type Transition,
  unknown
} from "@appservice-ping/client/Health"
import { Diagnosis } from "@appservice-ping/domain/Diagnosis"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Schema } from "effect"

const diagnosis = (temporary: boolean) =>
  new Diagnosis({ actor: "operator", cause: "cause", advice: "advice", temporary })

/** The wall clock is far from the monotonic one, so that a mix-up of the two shows. */
const moment = (seconds: number) => ({ at: 1_000_000_000 + seconds * 1000, monotonic: seconds * 1000 })

const success = (seconds: number, durationMs = 7): Observation => ({ _tag: "Success", durationMs, ...moment(seconds) })

const failed = (seconds: number, temporary: boolean, verdict: string, text = "text"): Observation => ({
  _tag: "Failure",
  error: { verdict, text },
  diagnosis: diagnosis(temporary),
  ...moment(seconds)
})

const temporary = (seconds: number) => failed(seconds, true, "M_CONNECTION_FAILED")
const permanent = (seconds: number) => failed(seconds, false, "M_UNKNOWN_TOKEN")
const undecided = (seconds: number) => failed(seconds, true, "Undecided")

/** One letter for each ping, one second apart: s(uccess), t(emporary), p(ermanent), u(ndecided). */
const pings = { s: success, t: temporary, p: permanent, u: undecided }

const isPing = (letter: string): letter is keyof typeof pings => letter in pings

const run = (policy: HealthPolicy, letters: string) => {
  let health: Health = unknown
  let seconds = 0
  const tags: Array<string> = []
  const transitions: Array<Transition> = []
  for (const letter of letters) {
    if (!isPing(letter)) continue
    const next = step(policy, health, pings[letter](seconds++))
    health = next.health
    tags.push(health._tag.charAt(0))
    if (next.transition !== undefined) transitions.push(next.transition)
  }
  return { health, tags: tags.join(""), transitions }
}

describe("step", () => {
  const table: ReadonlyArray<readonly [string, HealthPolicy, string, string]> = [
    ["one success makes it healthy", {}, "ss", "HH"],
    ["one temporary failure leaves it unknown, two do not", {}, "tt", "UF"],
    ["one temporary failure leaves it healthy, two do not", {}, "stt", "HHF"],
    ["a success between two failures clears the first", {}, "ststst", "HHHHHH"],
    ["one permanent failure is enough", {}, "sp", "HF"],
    ["one permanent failure is enough from unknown", {}, "p", "F"],
    ["a first permanent failure counts as one of two, after a temporary one", {}, "stp", "HHF"],
    ["permanent failures wait as long as they are told to", { failAfterPermanent: 2, failAfter: 9 }, "spp", "HHF"],
    [
      "a temporary failure between two permanent ones clears the first",
      {
        failAfterPermanent: 2,
        failAfter: 9
      },
      "sptpp",
      "HHHHF"
    ],
    ["permanent failures count as failures too", { failAfter: 3, failAfterPermanent: 9 }, "sptp", "HHHF"],
    ["temporary failures wait as long as they are told to", { failAfter: 4 }, "sttttt", "HHHHFF"],
    ["a success ends it, and the next one makes it healthy", {}, "psss", "FRHH"],
    ["successes wait as long as they are told to", { recoverAfter: 3 }, "psssss", "FFFRHH"],
    ["a failure between successes clears them", { recoverAfter: 2 }, "pstss", "FFFFR"],
    ["a recovered one fails like a healthy one", {}, "psttst", "FRRFRR"],
    ["undecided pings are failures", {}, "suu", "HHF"],
    ["undecided pings can be ignored", { undecided: "ignored" }, "suuuu", "HHHHH"],
    ["an ignored ping interrupts no streak", { undecided: "ignored" }, "stut", "HHHF"],
    ["an infinite number is never reached", { failAfter: Infinity, failAfterPermanent: Infinity }, "sppppp", "HHHHHH"]
  ]
  it.each([{ failAfter: 0 }, { failAfterPermanent: -1 }, { recoverAfter: Number.NaN }, { failAfter: 1.5 }])(
    "a number that counts nothing is refused by its name: %j",
    (policy) => {
      assert.throws(() => checkedUnsafe(policy), new RegExp(`^${Object.keys(policy)[0]}: expected a whole number`))
    }
  )

  for (const [name, policy, pings, healths] of table) {
    it(`${name}: ${pings}`, () => assert.strictEqual(run(policy, pings).tags, healths))
  }

  it("is failing since the first failure of the streak, and counts them", () => {
    const { health } = run({ failAfter: 3 }, "sstttt")
    assert.deepInclude(health, {
      _tag: "Failing",
      since: moment(2).at,
      failures: 4,
      error: { verdict: "M_CONNECTION_FAILED", text: "text" },
      lastSuccess: moment(1).at
    })
  })

  it("names the newest failure", () => {
    const { health } = run({}, "sttp")
    assert.propertyVal(health._tag === "Failing" ? health.error : {}, "verdict", "M_UNKNOWN_TOKEN")
    assert.isFalse(health._tag === "Failing" && health.diagnosis.temporary)
  })

  it("is healthy since the first success, and knows the newest", () => {
    const { health } = step({}, run({}, "sss").health, success(10, 42))
    assert.deepStrictEqual(health, {
      _tag: "Healthy",
      since: moment(0).at,
      lastSuccess: moment(10).at,
      durationMs: 42,
      against: undefined
    })
  })

  it("has recovered after the time from the first failure to the first success", () => {
    const { health } = run({ failAfter: 2, recoverAfter: 2 }, "sttttss")
    assert.deepStrictEqual(health, {
      _tag: "Recovered",
      since: moment(5).at,
      after: Duration.seconds(4),
      lastSuccess: moment(6).at,
      durationMs: 7,
      against: undefined
    })
    assert.propertyVal(step({}, health, success(9)).health, "since", moment(5).at)
  })

  it("has recovered after the monotonic time, however the wall clock jumps", () => {
    const { health } = run({}, "p")
    const next = step({}, health, { _tag: "Success", durationMs: 1, at: 5, monotonic: 3000 })
    assert.deepInclude(next.health, { _tag: "Recovered", since: 5, after: Duration.seconds(3) })
  })

  it("does not recover after less than no time", () => {
    const next = step({}, run({}, "p").health, { _tag: "Success", durationMs: 1, at: 5, monotonic: -3000 })
    assert.deepInclude(next.health, { _tag: "Recovered", after: Duration.zero })
  })

  it("knows the newest success in every health", () => {
    assert.isUndefined(lastSuccess(run({}, "p").health))
    assert.isUndefined(lastSuccess(unknown))
    for (const [pings, seconds] of [["ss", 1], ["sst", 1], ["stt", 0], ["ps", 1], ["pss", 2]] as const) {
      assert.strictEqual(lastSuccess(run({}, pings).health), moment(seconds).at, pings)
    }
    assert.strictEqual(lastSuccess(run({ recoverAfter: 2 }, "ps").health), moment(1).at)
  })
})

const Letters = Schema.Array(Schema.Literals(["s", "t", "p", "u"]))
const Count = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 4 })))

/** The longest run of letters that are all among the given ones. */
const longest = (letters: string, among: RegExp): number =>
  Math.max(0, ...(letters.match(among) ?? []).map((run) => run.length))

describe("step, whatever happens", () => {
  it.prop(
    "does not flap: shorter streaks than asked for change nothing",
    [Letters, Count, Count],
    ([letters, a, b]) => {
      const text = `s${letters.join("")}`
      const policy = { failAfter: a, failAfterPermanent: b }
      const isQuiet = longest(text, /[tpu]+/g) < a && longest(text, /p+/g) < b
      const { transitions } = run(policy, text)
      assert.strictEqual(transitions.length === 1, isQuiet, "only the first success is a transition")
    }
  )

  it.prop("stays failing while no streak of successes is long enough", [Letters, Count], ([letters, recoverAfter]) => {
    const text = letters.join("")
    const { transitions } = run({ recoverAfter }, `p${text}`)
    assert.strictEqual(transitions.length === 1, longest(text, /s+/g) < recoverAfter)
  })

  it.prop(
    "names a transition exactly where the kind changes, and only kinds that can follow",
    [Letters, Count, Count],
    ([
      letters,
      failAfter,
      recoverAfter
    ]) => {
      const allowed = new Set([
        "Unknown Healthy",
        "Unknown Failing",
        "Healthy Failing",
        "Failing Recovered",
        "Recovered Healthy",
        "Recovered Failing"
      ])
      let health: Health = unknown
      for (const [index, letter] of letters.entries()) {
        const { health: after, transition } = step({ failAfter, recoverAfter }, health, pings[letter](index))
        if (after._tag === health._tag) assert.isUndefined(transition)
        else {
          assert.deepStrictEqual(transition, { from: health, to: after })
          assert.include([...allowed], `${health._tag} ${after._tag}`)
        }
        assert.strictEqual(isUp(after), after._tag === "Healthy" || after._tag === "Recovered")
        health = after
      }
    }
  )

  it.prop("stays small, whatever peers write", [Letters, Schema.String], ([letters, noise]) => {
    const huge = noise.repeat(10_000) + "x".repeat(100_000)
    let health: Health = unknown
    for (const [index, letter] of letters.entries()) {
      health = step({}, health, letter === "s" ? success(index) : failed(index, true, huge, huge)).health
      assert.isBelow(JSON.stringify(health).length, 4000)
    }
  })
})

describe("failure", () => {
  it("keeps a short error as it is", () => {
    assert.deepStrictEqual(failure({ _tag: "M_NOT_JSON", message: "a".repeat(300) }), {
      verdict: "M_NOT_JSON",
      text: "a".repeat(300)
    })
  })

  it("cuts a long one to 300 characters, but no character in two", () => {
    assert.strictEqual(failure({ _tag: "X", message: "a".repeat(301) }).text, `${"a".repeat(299)}…`)
    assert.strictEqual(
      failure({ _tag: "X", message: `${"a".repeat(298)}😀${"b".repeat(9)}` }).text,
      `${"a".repeat(298)}…`
    )
    assert.strictEqual(failure({ _tag: "T".repeat(65), message: "" }).verdict, `${"T".repeat(63)}…`)
  })
})
