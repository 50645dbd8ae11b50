import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Decision from "@appservice-ping/testbed/plan/Decision"
import type { Match, Plan, Rule, When } from "@appservice-ping/testbed/plan/Plan"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Duration, Schema } from "effect"
import { connection, decisions, outcomes, request, rule } from "./support/events.ts"
import { plans } from "./support/plans.ts"

const status = (code: number): Fault.Fault => Fault.status(code)

const repeat = (times: number, fields?: Partial<Decision.RequestEvent>): ReadonlyArray<Decision.RequestEvent> =>
  Array.from({ length: times }, (_, index) => request({ attempt: index + 1, ...fields }))

const at = (...times: ReadonlyArray<number>): ReadonlyArray<Decision.RequestEvent> =>
  times.map((time) => request({ time }))

const when = (when: When): Plan => rule({ fault: Fault.lostAnswer(), when })

const strikes = "lost_answer"

describe("Decision", () => {
  describe("whom a rule means", () => {
    const matches = (match: Match, fields?: Partial<Decision.RequestEvent>): boolean =>
      decisions(rule({ fault: Fault.lostAnswer(), match }), [request(fields)])[0]?.rule !== undefined

    it("is everything on its leg and stage where nothing is named", () => {
      assert.isTrue(matches({}))
      assert.isFalse(matches({}, { leg: "to_homeserver" }))
      assert.deepStrictEqual(outcomes(rule({ fault: Fault.lostAnswer() }), [connection()]), ["-"])
      assert.deepStrictEqual(outcomes(rule({ fault: Fault.refused }), [request(), connection()]), ["-", "refused"])
    })

    it.each<[string, Match, Partial<Decision.RequestEvent>, Partial<Decision.RequestEvent>]>([
      ["connection", { connection: 2 }, { connection: 2 }, { connection: 1 }],
      ["connections", { connection: [1, 3] }, { connection: 3 }, { connection: 2 }],
      ["exchange", { exchange: 2 }, { exchange: 2 }, { exchange: 1 }],
      ["attempt", { attempt: [2, 3] }, { attempt: 3 }, { attempt: 1 }],
      ["method", { method: "post" }, { method: "POST" }, { method: "GET" }],
      ["path", { path: "/a" }, { path: "/a" }, { path: "/a/b" }],
      ["path with a star", { path: "/a*" }, { path: "/a/b" }, { path: "/b/a" }],
      ["paths", { path: ["/a", "/c/*"] }, { path: "/c/d" }, { path: "/c" }],
      ["transaction id", { transaction_id: "x" }, { transactionId: "x" }, { transactionId: undefined }]
    ])("is what its %s names, and nothing else", (_, match, good, bad) => {
      assert.isTrue(matches(match, good))
      assert.isFalse(matches(match, bad))
    })

    it("is what meets all of several names", () => {
      const match = { method: "POST", attempt: 2 }
      assert.isTrue(matches(match, { attempt: 2 }))
      assert.isFalse(matches(match, { attempt: 2, method: "GET" }))
      assert.isFalse(matches(match, { attempt: 1 }))
    })

    it("is a connection by its number, of which more is not known", () => {
      const plan = rule({ fault: Fault.refused, match: { connection: [2] } })
      assert.deepStrictEqual(outcomes(plan, [connection(), connection({ connection: 2 })]), ["-", "refused"])
    })

    it("is a connection whatever it names of requests", () => {
      assert.deepStrictEqual(outcomes(rule({ fault: Fault.refused, match: { method: "POST" } }), [connection()]), [
        "refused"
      ])
    })

    it("is a request where it has neither a fault nor a sequence, and then it has ended", () => {
      assert.deepStrictEqual(outcomes(rule({ end: "repeat" }), [request(), connection()]), ["sequence ended", "-"])
    })
  })

  describe("which rule decides", () => {
    it("is the first one that strikes, and the later ones do not even count", () => {
      const plan: Plan = {
        rules: [
          { id: "a", leg: "to_appservice", fault: status(500), when: { nth: 2 } },
          { id: "b", leg: "to_appservice", fault: status(501) },
          { id: "c", leg: "to_appservice", fault: status(502) }
        ]
      }
      const [first, second] = decisions(plan, repeat(2))
      assert.deepStrictEqual([first?.rule, first?.suppressed], ["b", [{ rule: "a", reason: "nth", draw: undefined }]])
      assert.deepStrictEqual([second?.rule, second?.suppressed], ["a", []])
      const { state } = Decision.decide(plan, 0, Decision.initial, request())
      assert.deepStrictEqual(["a", "b", "c"].map((id) => Decision.stateOf(state, id).matched), [1, 1, 0])
    })

    it("is none where none matches, and then all is well", () => {
      const { decision, state } = Decision.decide(rule({ fault: Fault.refused }), 0, Decision.initial, request())
      assert.deepStrictEqual(decision, {
        action: { _tag: "Pass" },
        rule: undefined,
        fault: undefined,
        draw: undefined,
        suppressed: []
      })
      assert.strictEqual(Decision.stateOf(state, "rule-1").matched, 0)
    })

    it("does not change what was decided before", () => {
      const plan = when({ first: 1 })
      const { state } = Decision.decide(plan, 0, Decision.initial, request())
      assert.strictEqual(Decision.initial.rules.size, 0)
      const again = Decision.decide(plan, 0, Decision.initial, request())
      assert.deepStrictEqual(again.state, state)
      Decision.decide(plan, 0, state, request())
      assert.strictEqual(Decision.stateOf(state, "rule-1").matched, 1)
    })
  })

  describe("when a rule strikes", () => {
    it("nth: at this match only", () => {
      assert.deepStrictEqual(outcomes(when({ nth: 2 }), repeat(3)), ["nth", strikes, "nth"])
      assert.deepStrictEqual(outcomes(when({ nth: [1, 3] }), repeat(4)), [strikes, "nth", strikes, "nth"])
    })

    it("first: at so many matches and no more", () => {
      assert.deepStrictEqual(outcomes(when({ first: 2 }), repeat(3)), [strikes, strikes, "first"])
    })

    it("every: at each k-th match", () => {
      assert.deepStrictEqual(outcomes(when({ every: 3 }), repeat(6)), [
        "every",
        "every",
        strikes,
        "every",
        "every",
        strikes
      ])
      assert.deepStrictEqual(outcomes(when({ every: 1 }), repeat(2)), [strikes, strikes])
    })

    it("after and until: from the one edge up to the other, which is no part of it", () => {
      const window = { after: Duration.millis(100), until: Duration.millis(200) }
      assert.deepStrictEqual(outcomes(when(window), at(0, 99.999, 100, 199.999, 200, 300)), [
        "window",
        "window",
        strikes,
        strikes,
        "window",
        "window"
      ])
    })

    it("beyond: past the limit of a window, which begins with its first match", () => {
      const quota = when({ beyond: { limit: 2, window: Duration.millis(100) } })
      assert.deepStrictEqual(outcomes(quota, at(950, 960, 970, 1049.999, 1050, 1149, 1149.5, 1150)), [
        "quota",
        "quota",
        strikes,
        strikes,
        "quota",
        "quota",
        strikes,
        "quota"
      ])
      const none = when({ beyond: { limit: 0, window: Duration.millis(100) } })
      assert.deepStrictEqual(outcomes(none, at(0, 500)), [strikes, strikes])
    })

    it("several: where all of them hold", () => {
      const plan = when({ first: 3, every: 2, after: Duration.millis(10) })
      const events = at(0, 5, 20, 30, 40, 50)
      assert.deepStrictEqual(outcomes(plan, events), ["window", "window", "every", "first", "first", "first"])
      const later = when({ first: 4, every: 2, after: Duration.millis(10) })
      assert.deepStrictEqual(outcomes(later, events), ["window", "window", "every", strikes, "first", "first"])
    })

    it("budget: so often at most", () => {
      assert.deepStrictEqual(outcomes(rule({ fault: Fault.lostAnswer(), budget: 2 }), repeat(4)), [
        strikes,
        strikes,
        "budget",
        "budget"
      ])
    })

    it("on a leg without TLS never with a fault of TLS", () => {
      const tls: ReadonlyArray<Fault.Fault> = [
        { type: "tls", defect: "alert" },
        Fault.stall({ phase: "handshake" }),
        Fault.resetPeer({ phase: "handshake" })
      ]
      for (const fault of tls) {
        const plan = rule({ fault })
        assert.deepStrictEqual(outcomes(plan, [connection()]), ["no TLS"])
        assert.deepStrictEqual(outcomes(plan, [connection({ tls: true })]), [fault.type])
      }
    })
  })

  describe("probability", () => {
    const struck = (probability: number, seed: number, count: number): number =>
      outcomes(
        when({ probability }),
        Array.from({ length: count }, (_, index) => request({ transactionId: `ping-${index}` })),
        seed
      ).filter((outcome) => outcome === strikes).length

    it("never strikes at 0 and always at 1", () => {
      assert.strictEqual(struck(0, 1, 1000), 0)
      assert.strictEqual(struck(1, 1, 1000), 1000)
    })

    it.each([[0.01, 1], [0.1, 2], [0.5, 3], [0.9, 4]])(
      "strikes %d of the requests, with seed %d",
      (probability, seed) => {
        const count = 10_000
        // Four standard deviations; the draws follow from the seed, so that this holds always or never.
        const margin = 4 * Math.sqrt(count * probability * (1 - probability))
        assert.closeTo(struck(probability, seed, count), count * probability, margin)
      }
    )

    it("decides otherwise with another seed, and the same with the same", () => {
      const events = Array.from({ length: 64 }, (_, index) => request({ transactionId: `${index}` }))
      const plan = when({ probability: 0.5 })
      assert.deepStrictEqual(outcomes(plan, events, 1), outcomes(plan, events, 1))
      assert.notDeepEqual(outcomes(plan, events, 1), outcomes(plan, events, 2))
    })

    it("draws anew for each attempt, each rule and each leg", () => {
      const draws = (plan: Plan, fields?: Partial<Decision.RequestEvent>) =>
        decisions(plan, [request(fields)], 5).map(({ draw }) => draw)
      const plan = rule({ id: "a", fault: Fault.lostAnswer() })
      const all = [
        draws(plan),
        draws(plan, { attempt: 2 }),
        draws(plan, { transactionId: "other" }),
        draws(plan, { path: "/other" }),
        draws(plan, { method: "GET" }),
        draws(rule({ id: "b", fault: Fault.lostAnswer() })),
        draws(rule({ id: "a", leg: "to_homeserver", fault: Fault.lostAnswer() }), { leg: "to_homeserver" })
      ]
      assert.strictEqual(new Set(all.flat()).size, all.length)
      // The number of the connection depends on what else happens, so that it is no part of the key.
      assert.deepStrictEqual(draws(plan), draws(plan, { connection: 9, exchange: 3, time: 500, now: 500 }))
    })
  })

  describe("sequence", () => {
    const sequence: Rule["sequence"] = [{ fault: status(500) }, { fault: Fault.pass, times: 2 }, {
      fault: Fault.lostAnswer()
    }]
    const turns = ["status", "healthy turn", "healthy turn", strikes]

    it("passes everything at its end, where nothing is said", () => {
      const ended = ["sequence ended", "sequence ended", "sequence ended"]
      assert.deepStrictEqual(outcomes(rule({ sequence }), repeat(7)), [...turns, ...ended])
      assert.deepStrictEqual(outcomes(rule({ sequence, end: "pass" }), repeat(7)), [...turns, ...ended])
    })

    it("repeats its last turn, or starts again", () => {
      assert.deepStrictEqual(outcomes(rule({ sequence, end: "repeat" }), repeat(6)), [...turns, strikes, strikes])
      assert.deepStrictEqual(outcomes(rule({ sequence, end: "cycle" }), repeat(9)), [...turns, ...turns, "status"])
    })

    it("goes on only when the rule would strike, and at that moment", () => {
      assert.deepStrictEqual(outcomes(rule({ sequence, when: { every: 2 } }), repeat(8)), [
        "every",
        "status",
        "every",
        "healthy turn",
        "every",
        "healthy turn",
        "every",
        strikes
      ])
      // Two requests at the same time get two turns, whatever becomes of the first one.
      assert.deepStrictEqual(outcomes(rule({ sequence }), [request(), request({ transactionId: "other" })]), [
        "status",
        "healthy turn"
      ])
    })

    it("counts healthy turns not against its budget", () => {
      assert.deepStrictEqual(outcomes(rule({ sequence, end: "cycle", budget: 2 }), repeat(6)), [
        ...turns,
        "budget",
        "healthy turn"
      ])
    })
  })

  describe("crash", () => {
    const plan: Plan = {
      rules: [
        { id: "crash", leg: "to_appservice", fault: Fault.crash({ down_for: "1 second" }), when: { nth: 1 } },
        { id: "other", leg: "to_homeserver", fault: Fault.lostAnswer() }
      ]
    }

    it("refuses the connections of its leg for as long as it says, and asks no rule", () => {
      const [crash, before, other, after] = decisions(plan, [
        request({ time: 10 }),
        connection({ time: 1009.999 }),
        connection({ time: 1009.999, leg: "to_homeserver" }),
        connection({ time: 1010 })
      ])
      assert.strictEqual(crash?.action._tag, "Crash")
      assert.deepStrictEqual([before?.action._tag, before?.rule, before?.fault], ["Refuse", "crash", undefined])
      assert.deepStrictEqual(before?.suppressed, [])
      assert.strictEqual(other?.action._tag, "Pass")
      assert.strictEqual(after?.action._tag, "Pass")
    })

    it("refuses no request of a connection that is there", () => {
      assert.deepStrictEqual(
        decisions(plan, [request({ time: 10 }), request({ time: 20 })]).map(({ action }) => action._tag),
        ["Crash", "Pass"]
      )
    })
  })

  describe("redirect", () => {
    it("to itself leads to the path of its request", () => {
      const plan = rule({ fault: Fault.redirect({ status: 307, location: "self" }) })
      const [decision] = decisions(plan, [request({ path: "/a/b" })])
      const steps = decision?.action._tag === "Play" ? decision.action.steps : []
      const written = steps.map((step) => step.step === "write" ? new TextDecoder().decode(step.bytes) : "")
      assert.include(written.join(""), "Location: /a/b\r\n")
    })
  })

  describe("edges", () => {
    it("are the times at which a decision can change although nothing happens", () => {
      const plan: Plan = {
        rules: [
          {
            leg: "to_appservice",
            fault: Fault.refused,
            when: { after: Duration.millis(100), until: Duration.millis(200) }
          },
          {
            leg: "to_appservice",
            fault: Fault.refused,
            when: { beyond: { limit: 0, window: Duration.millis(50) } }
          },
          { leg: "to_appservice", fault: Fault.crash({ down_for: "1 second" }) }
        ]
      }
      const edges = (state: Decision.State, time: number) => Decision.edgesAfter(plan, state, time)
      assert.deepStrictEqual(edges(Decision.initial, 0), [100, 200])
      assert.deepStrictEqual(edges(Decision.initial, 100), [200])
      assert.deepStrictEqual(edges(Decision.initial, 200), [])
      const counted = Decision.decide(plan, 0, Decision.initial, connection({ time: 20 })).state
      assert.deepStrictEqual(edges(counted, 20), [70, 100, 200])
      const crashed = Decision.decide(plan, 0, counted, request({ time: 30 })).state
      assert.deepStrictEqual(edges(crashed, 30), [70, 100, 200, 1030])
    })
  })

  describe("draws do not shift", () => {
    /** Draws decide everything here: whether a rule strikes, and how long its latency is. */
    const drawn = (fault: Fault.Fault, probability: number): Omit<Rule, "leg"> => ({ fault, when: { probability } })
    const slow = Fault.latency({ distribution: "lognormal", p50: Duration.millis(50), p99: Duration.seconds(1) })
    const plan: Plan = {
      rules: [
        { leg: "to_appservice", ...drawn(status(503), 0.3) },
        { leg: "to_appservice", ...drawn(slow, 0.6) },
        { leg: "to_homeserver", ...drawn(slow, 0.5) }
      ]
    }

    const stream = (leg: "to_appservice" | "to_homeserver", id: string): ReadonlyArray<Decision.RequestEvent> =>
      Array.from({ length: 8 }, (_, index) => request({ leg, transactionId: id, attempt: index + 1 }))

    const byRequest = (plan: Plan, events: ReadonlyArray<Decision.RequestEvent>, seed: number) => {
      const all = decisions(plan, events.map((event, index) => ({ ...event, connection: index + 1 })), seed)
      return new Map(events.map(({ attempt, leg, transactionId }, index) => {
        const decision = all[index]
        return [`${leg} ${transactionId} ${attempt}`, decision && [decision.action, decision.draw]] as const
      }))
    }

    const merge = (order: ReadonlyArray<boolean>, ...streams: ReadonlyArray<ReadonlyArray<Decision.RequestEvent>>) => {
      const [first = [], second = []] = streams
      const left = [...first]
      const right = [...second]
      const merged = order.flatMap((isFirst) => (isFirst ? left : right).splice(0, 1))
      return [...merged, ...left, ...right]
    }

    const orders = Arbitrary.array(Arbitrary.schema(Schema.Boolean), { minLength: 8, maxLength: 24 })
    const seeds = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 })))

    it.prop("in whatever order two streams of requests come", [orders, seeds], ([order, seed]) => {
      const a = stream("to_appservice", "a")
      const b = stream("to_appservice", "b")
      const alone = new Map([...byRequest(plan, a, seed), ...byRequest(plan, b, seed)])
      const together = byRequest(plan, merge(order, a, b), seed)
      assert.strictEqual(together.size, 16)
      for (const [key, decision] of together) assert.deepStrictEqual(decision, alone.get(key), key)
    })

    it.prop("when the other leg is busy, and when its rules change", [orders, seeds], ([order, seed]) => {
      const mine = stream("to_appservice", "a")
      const others = stream("to_homeserver", "a")
      const alone = byRequest(plan, mine, seed)
      const crowded: Plan = {
        rules: [{ leg: "to_homeserver", ...drawn(status(500), 0.5) }, ...plan.rules, {
          id: "last",
          leg: "to_appservice",
          fault: Fault.refused
        }]
      }
      for (const other of [plan, crowded]) {
        const together = byRequest(other, merge(order, mine, others), seed)
        for (const [key, decision] of alone) assert.deepStrictEqual(together.get(key), decision, key)
      }
    })

    it("and are not all the same", () => {
      const actions = [...byRequest(plan, stream("to_appservice", "a"), 3).values()].map((one) => JSON.stringify(one))
      assert.isAbove(new Set(actions).size, 4)
    })
  })

  it.prop("counts each match once, as suppressed or as fired", [plans, Schema.Boolean], ([plan, tls]) => {
    const events = [1, 2, 3].flatMap((n) =>
      (["to_appservice", "to_homeserver"] as const).flatMap((leg) => [
        connection({ leg, connection: n, tls, time: n * 400 }),
        request({ leg, connection: n, attempt: n, tls, time: n * 400 })
      ])
    )
    let state = Decision.initial
    for (const event of events) {
      const { decision, state: next } = Decision.decide(plan, 1, state, event)
      const again = Decision.decide(plan, 1, state, event)
      assert.deepStrictEqual(again.decision, decision)
      assert.strictEqual(decision.action._tag === "Pass", decision.rule === undefined)
      state = next
    }
    for (const [id, { fired, matched, suppressed }] of state.rules) {
      assert.strictEqual(matched, fired + suppressed, id)
      const [, index = "0"] = /^rule-(\d+)$/.exec(id) ?? []
      const budget = plan.rules[Number(index) - 1]?.budget
      assert.isAtMost(fired, budget ?? Number.POSITIVE_INFINITY)
    }
  })
})
