/** Ways from a homeserver to an appservice, each through a fault proxy of its own, so that cells run beside each other. */
import type { Fault } from "@appservice-ping/testbed/fault/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import { Predicate, Schema } from "effect"
import { setTimeout } from "node:timers/promises"
import type { Homeserver } from "./Homeservers.ts"
import type { Lab } from "./Lab.ts"
import type { Fields } from "./Peer.ts"

/** One way. */
export interface Lane {
  readonly tls: boolean
  readonly fields: Fields
  readonly file: string
  /** The control API of its proxy. */
  readonly control: string
  /** A file with the authority that whoever calls it has to trust. */
  readonly ca: string
}

/** What a homeserver answered to its client while a fault was in force; the form in which results are recorded. */
export interface Row {
  readonly fault: string
  readonly plan: unknown
  readonly tls?: true
  readonly status: number | null
  readonly errcode: string | null
  readonly error?: string
  readonly appservice_status?: number
  readonly seconds: number
  readonly applied: number
}

const startMillisMax = 60_000

/** Longer than any timeout of a homeserver; what takes longer hangs for ever. */
const deadlineMillis = 75_000

/** Opens ways to an appservice, each with a registration that only differs in its id, its url and its `as_token`. */
export const open = async (
  lab: Lab,
  to: { readonly port: number; readonly hs_token: string; readonly name: string },
  kinds: ReadonlyArray<{ readonly tls: boolean }>
): Promise<ReadonlyArray<Lane>> =>
  Promise.all(kinds.map(async ({ tls }, index) => {
    const args = ["proxy", "--leg", "to_appservice", "--upstream", `127.0.0.1:${to.port}`, "--port", "0"]
    const running = lab.serve([...args, "--control", "0", ...tls ? ["--tls"] : []])
    const [, origin = ""] = await running.until(/^proxy ready at (\S+),/m, startMillisMax)
    const [, control = ""] = await running.until(/^control API ready at (\S+)$/m, startMillisMax)
    const id = `${to.name}-${tls ? "tls" : "plain"}-${index}`
    const fields: Fields = {
      id,
      url: tls ? origin.replace("127.0.0.1", "localhost") : origin,
      as_token: `as_${id}_1d8f`,
      hs_token: to.hs_token,
      sender_localpart: `${id}_bot`
    }
    const namespaces = { users: [{ exclusive: true, regex: `@${id}_.*:.*` }], aliases: [], rooms: [] }
    const file = await lab.file(`${id}.yaml`, JSON.stringify({ ...fields, rate_limited: false, namespaces }))
    const ca = await lab.file(`${id}.pem`, await (await fetch(`${control}/ca`)).text())
    return { tls, fields, file, control, ca }
  }))

const encodePlan = Schema.encodeSync(Plan.Plan)

const planOf = (fault: Fault) => encodePlan(Plan.of("to_appservice", fault))

const control = async (lane: Lane, method: string, path: string, body?: unknown): Promise<unknown> => {
  const answer = await fetch(`${lane.control}${path}`, {
    method,
    ...body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return text === "" ? undefined : JSON.parse(text)
}

const countMillisMax = 3000

/** Who is turned away is not seen, and so not counted. */
const isCounted = ({ type }: Fault): boolean => type !== "refused" && type !== "never_accepted" && type !== "pass"

const appliedIn = async (lane: Lane): Promise<number> => {
  const report = await control(lane, "GET", "/report")
  const rules = Predicate.isObject(report) && Array.isArray(report["rules"])
    ? report["rules"].filter(Predicate.isObject)
    : []
  return rules.reduce((sum, rule) => sum + Number(rule["applied"] ?? 0), 0)
}

/** Puts a fault in force while something is done; then it heals. */
export const whileInForce = async <A>(lane: Lane, fault: Fault, use: () => Promise<A>): Promise<[A, number]> => {
  await control(lane, "PUT", "/plan", planOf(fault))
  try {
    const result = await use()
    // What is played behind the answer is counted a moment after a client has it.
    const until = performance.now() + (isCounted(fault) ? countMillisMax : 0)
    let applied = await appliedIn(lane)
    while (applied === 0 && performance.now() < until) {
      await setTimeout(50)
      applied = await appliedIn(lane)
    }
    return [result, applied]
  } finally {
    await control(lane, "DELETE", "/plan")
  }
}

/** Addresses and ports differ from run to run. */
const plain = (text: string, lane: Lane): string =>
  text
    .replaceAll(new URL(lane.fields.url).host, "HOST")
    .replaceAll(/(?:127\.0\.0\.1|localhost):\d+/g, "HOST")
    .replaceAll(/0x[0-9a-f]+/g, "0x")
    .slice(0, 400)

const ping = async (homeserver: Homeserver, lane: Lane): Promise<Omit<Row, "applied" | "fault" | "plan">> => {
  const start = performance.now()
  const seconds = () => Math.round((performance.now() - start) / 100) / 10
  try {
    const answer = await fetch(`${homeserver.url}/_matrix/client/v1/appservice/${lane.fields.id}/ping`, {
      method: "POST",
      headers: { "Authorization": `Bearer ${lane.fields.as_token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ transaction_id: "interop" }),
      signal: AbortSignal.timeout(deadlineMillis)
    })
    const body: unknown = await answer.json().catch(() => undefined)
    const { errcode = null, error, status } = Predicate.isObject(body) ? body : {}
    return {
      status: answer.status,
      errcode: typeof errcode === "string" ? errcode : null,
      ...typeof error === "string" ? { error: plain(error, lane) } : {},
      ...typeof status === "number" ? { appservice_status: status } : {},
      seconds: seconds()
    }
  } catch (error) {
    const why = error instanceof Error && error.name === "TimeoutError" ? "client deadline" : String(error)
    return { status: null, errcode: null, error: why, seconds: seconds() }
  }
}

/** Pings through a lane while a fault is in force. */
export const play = async (
  homeserver: Homeserver,
  lane: Lane,
  { fault, title, tls }: { readonly fault: Fault; readonly title: string; readonly tls: boolean }
): Promise<Row> => {
  const [said, applied] = await whileInForce(lane, fault, () => ping(homeserver, lane))
  const [rule] = planOf(fault).rules
  return { fault: title, plan: rule?.fault, ...tls ? { tls: true as const } : {}, ...said, applied }
}

/** Works through a queue on all lanes that fit; results come in the order of the queue. */
export const inLanes = async <A extends { readonly tls: boolean }, B>(
  lanes: ReadonlyArray<Lane>,
  queue: ReadonlyArray<A>,
  work: (lane: Lane, one: A) => Promise<B>
): Promise<ReadonlyArray<B>> => {
  const results = new Map<number, B>()
  const waiting = queue.map((one, index) => ({ one, index }))
  await Promise.all(lanes.map(async (lane) => {
    for (;;) {
      const next = waiting.findIndex(({ one }) => one.tls === lane.tls)
      const [taken] = next === -1 ? [] : waiting.splice(next, 1)
      if (taken === undefined) return
      results.set(taken.index, await work(lane, taken.one))
    }
  }))
  return queue.flatMap((_, index) => {
    const result = results.get(index)
    return result === undefined ? [] : [result]
  })
}
