/** Every fault, on both legs, as a raw socket sees it: the bytes, how the connection ends, the time, and who was asked. */
import { ca } from "@appservice-ping/testbed/carrier/tls/Certificates"
import * as Catalogue from "@appservice-ping/testbed/fault/Catalogue"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Decision from "@appservice-ping/testbed/plan/Decision"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import type { Leg } from "@appservice-ping/testbed/step/Leg"
import type { Step } from "@appservice-ping/testbed/step/Step"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { until } from "../../support/observe.ts"
import { observe, ping } from "./support/Observer.ts"
import { kinds, setup } from "./support/Setup.ts"

/** Two dates are alike: what is compared is everything else. */
const withoutDate = (text: string): string => text.replace(/date: [^\r]*/gi, "date: then")

/** The longest times are within half a second. */
const faults = Catalogue.singles({ pingTimeout: "150 millis" })

interface Wanted {
  readonly text: string
  readonly ending: "fin" | "rst" | "silent"
  readonly atLeastMillis: number
  readonly asked: number
  readonly event: "closed server fin" | "closed server rst" | "closed client fin"
}

const relayed = (answer: string, step: Extract<Step, { step: "relay" }>): string =>
  answer.slice(step.body === true ? answer.indexOf("\r\n\r\n") + 4 : 0).slice(step.from ?? 0, step.to ?? answer.length)

/** What the steps of a fault have to look like on the wire, where the application's whole answer is this one. */
const wantedOf = (steps: ReadonlyArray<Step>, answer: string): Wanted => {
  let text = ""
  let atLeastMillis = 0
  let asked = 0
  for (const step of steps) {
    if (step.step === "forward") asked++
    if (step.step === "wait") atLeastMillis += Duration.toMillis(step.duration)
    if (step.step === "write") text += Buffer.from(step.bytes).toString("latin1")
    if (step.step === "relay") {
      const piece = relayed(answer, step)
      text += piece
      const pieces = Math.ceil(piece.length / (step.size ?? Infinity))
      if (step.gap !== undefined) atLeastMillis += Duration.toMillis(step.gap) * (pieces - 1)
    }
  }
  const last = steps.at(-1)
  const ending = last?.step === "hang" ? "silent" : last?.step === "close" ? last.how : "fin"
  const event = ending === "silent" ? "closed client fin" : `closed server ${ending}` as const
  return { text, ending, atLeastMillis, asked, event }
}

/** The steps that the fault stands for, for the very connection or request of the test. */
const stepsOf = (leg: Leg, fault: Fault.Fault): ReadonlyArray<Step> => {
  const common = { leg, connection: 1, tls: Fault.needsTls(fault), time: 0, now: 0 }
  const event: Decision.Event = Fault.stageOf(fault) === "connection"
    ? { stage: "connection", ...common }
    : {
      stage: "request",
      ...common,
      exchange: 1,
      attempt: 1,
      method: "POST",
      path: "/_matrix/app/v1/ping",
      transactionId: "ping"
    }
  const { action } = Decision.decide(Plan.of(leg, fault), 0, Decision.initial, event).decision
  assert.strictEqual(action._tag, "Play")
  return action._tag === "Play" ? action.steps : []
}

const isDated = (fault: Fault.Fault): boolean => fault.type === "rate_limited" && fault.form === "date"

const isWave = (fault: Fault.Fault): boolean =>
  fault.type === "latency" && !Duration.isDuration(fault.latency) && fault.latency.distribution === "wave"

/** Those that are not steps, or of which a client sees no plain text, have tests of their own. */
const isPlain = (fault: Fault.Fault): boolean =>
  !["pass", "dns", "refused", "never_accepted", "crash", "tls"].includes(fault.type)

for (const leg of ["to_homeserver", "to_appservice"] as const) {
  describe.concurrent(`faults on the wire, ${leg}`, { timeout: 30_000 }, () => {
    for (const { fault } of faults.filter((single) => single.leg === leg && isPlain(single.fault))) {
      it.live(Fault.describe(fault), () =>
        Effect.gen(function*() {
          const tls = Fault.needsTls(fault)
          const { asked, proxy, session, upstream } = yield* setup({ leg, tls })
          const isKept = "phase" in fault && fault.phase === "next_request"
          const request = ping({ keepAlive: isKept })
          const { text: answer } = isKept
            ? yield* observe(upstream.url, {
              send: [{ text: request }],
              silentAfter: { bytes: 100, effect: Effect.void }
            })
            : yield* observe(upstream.url, { send: [{ text: request }] })
          asked.length = 0
          const injection = yield* session.inject(Plan.of(leg, fault))
          const steps = stepsOf(leg, fault)
          const wanted = wantedOf(steps, withoutDate(answer))

          const has = (kind: string) => Effect.map(session.journal, (entries) => kinds(entries).includes(kind))
          const seen = yield* observe(proxy.url, {
            send: [{ text: request }, ...isKept ? [{ text: request, after: answer.length }] : []],
            ...tls ? { tls: { ca, servername: "localhost" } } : {},
            ...wanted.ending === "silent"
              ? { silentAfter: { bytes: isKept ? answer.length : 0, effect: until(has("hung"), true) } }
              : {}
          })
          yield* until(has(wanted.event), true)

          if (!isDated(fault)) assert.strictEqual(withoutDate(seen.text), wanted.text)
          assert.strictEqual(seen.ending, wanted.ending)
          if (!isWave(fault)) assert.isAtLeast(seen.atMillis, wanted.atLeastMillis)
          assert.strictEqual(asked.length, wanted.asked)
          assert.strictEqual(yield* injection.applied, 1)
          const journal = yield* session.journal
          const count = (kind: string): number => kinds(journal).filter((other) => other === kind).length
          assert.strictEqual(count("asked"), wanted.asked)
          assert.strictEqual(kinds(journal).filter((kind) => kind.startsWith("closed")).length, 1)
          const sent = journal.reduce((sum, { what }) => what.event === "sent" ? sum + what.bytes : sum, 0)
          assert.strictEqual(sent, seen.text.length)
        }))
    }
  })
}
