/** Holds the peer of a homeserver to what the real one answered under faults, cell by cell. */
import type { Answer } from "@appservice-ping/domain/Answer"
import { ca } from "@appservice-ping/testbed/carrier/tls/Certificates"
import * as HomeserverHandler from "@appservice-ping/testbed/peer/HomeserverHandler"
import * as HomeserverPeers from "@appservice-ping/testbed/peer/HomeserverPeers"
import * as PeerTransport from "@appservice-ping/testbed/peer/PeerTransport"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Session from "@appservice-ping/testbed/play/Session"
import * as Virtual from "@appservice-ping/testbed/play/Virtual"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Option } from "effect"
import * as Fixture from "../../rules/support/Fixture.ts"
import { inProcess } from "./inProcess.ts"
import { type FaultCell, faultCells } from "./measured.ts"
import { faultOf } from "./recordedFault.ts"

/** How a cell is held: not at all for a reason, or with other expectations than what was recorded. */
export interface Exception {
  /** Why the cell cannot be held. */
  readonly leftOut?: string
  /** Why only the status and the errcode are held. */
  readonly withoutText?: string
  /** What the notes of the measurement correct. */
  readonly corrected?: Partial<FaultCell>
  /** Another answer that the real one gave too: `504 M_CONNECTION_TIMEOUT`. */
  readonly alsoRight?: string
}

export interface Held {
  readonly name: HomeserverPeers.Name
  readonly file: string
  /** How many of its cells are held. */
  readonly cells: number
  /** The client deadline of the measurement, in seconds. */
  readonly deadline: number
  /** Whether the homeserver trusted the authority of the testbed's certificates. */
  readonly trusts: boolean
  readonly isSecure: (cell: FaultCell) => boolean
  readonly exception: (cell: FaultCell) => Exception
}

/** What could not be measured of the two Rust homeservers. */
export const rustException = ({ plan }: FaultCell): Exception => {
  if (plan["type"] === "dns") {
    return { leftOut: "a proxy cannot make a name unknown, so that what was measured is a reset" }
  }
  if (plan["defect"] === "self-signed") return { withoutText: "the text is of the machine's own trust" }
  return {}
}

interface Got {
  readonly answer: Answer | undefined
  readonly seconds: number
  readonly applied: number
}

/** What the appservice of the measurement answered, and the pages that a redirect led to. */
const healthy: Answer = { status: 200, headers: { "content-type": "application/json" }, body: "{}" }
const page: Answer = { status: 200, headers: { "content-type": "text/html" }, body: "<html>Login</html>" }

const id = "lab-proxy"

const play = (held: Held, cell: FaultCell): Effect.Effect<Got, Virtual.Stuck> =>
  Virtual.run(Effect.scoped(Effect.gen(function*() {
    const session = yield* Session.make()
    const elsewhere = yield* Session.make()
    const injection = yield* session.inject(Plan.of("to_appservice", faultOf(cell.plan)))
    const url = `${held.isSecure(cell) ? "https" : "http"}://localhost:29300`
    const place = (url: string, answer: Answer, there = elsewhere) => ({
      url: new URL(url),
      session: there,
      handle: () => Effect.succeed(answer)
    })
    const connect = yield* inProcess([
      place(url, healthy, session),
      place("http://127.0.0.1:27397", healthy),
      place("http://127.0.0.1:27398", page),
      place("http://127.0.0.1:19701", page)
    ])
    const handle = yield* Effect.orDie(HomeserverHandler.make(HomeserverPeers.peers[held.name], {
      registrations: [Fixture.registration({ id, url })],
      transport: PeerTransport.make({ connect, ...held.trusts ? { ca } : {} })
    }))
    const start = yield* Clock.currentTimeMillis
    const answer = yield* handle({
      method: "POST",
      target: Fixture.path(id),
      header: (name) => name === "authorization" ? `Bearer ${Fixture.tokens.as}` : undefined,
      body: () => Effect.succeed(new TextEncoder().encode("{}"))
    }).pipe(Effect.timeoutOption(held.deadline * 1000))
    const seconds = ((yield* Clock.currentTimeMillis) - start) / 1000
    // A fault that strikes when the answer is there is written down when the connection is over.
    yield* Effect.sleep("1 minute")
    return { answer: Option.getOrUndefined(answer), seconds, applied: yield* injection.applied }
  })))

/** What differs from place to place and from time to time, taken out of a text. */
const plain = (text: string): string =>
  text
    .replaceAll(/https?:\/\/(?:localhost:29300|HOST:PORT)/g, "http://HOST:PORT")
    .replaceAll(/access_token=[^)\s"]+/g, "access_token=TOKEN")
    .replaceAll(/lab-proxy\d*/g, "lab-proxy")
    .replaceAll(/verification time \d+/g, "verification time N")
    .replaceAll(/not valid (after|before) \d+ \(\d+/g, "not valid $1 N (N")
    // The canned answers of the measurement had no reason phrase.
    .replace(/^(HTTP \d{3}) .*$/, "$1")

const textOf = (value: unknown): string => typeof value === "string" ? value : ""

const fieldOf = (answer: Answer | undefined, field: string): unknown => {
  const body: unknown = answer === undefined ? {} : JSON.parse(answer.body)
  return typeof body === "object" && body !== null ? new Map(Object.entries(body)).get(field) : undefined
}

const short = (answer: Answer | undefined): string =>
  answer === undefined
    ? "no answer"
    : `${answer.status} ${textOf(fieldOf(answer, "errcode"))}`.trimEnd()

const expected = ({ errcode, status }: FaultCell): string =>
  status === null ? "no answer" : errcode === null ? String(status) : `${status} ${errcode}`

/** Times that a deadline or a fault makes, and not how long something took. */
const isTimed = ({ plan, seconds }: FaultCell): boolean =>
  seconds >= 4 && plan["type"] !== "drip" && plan["type"] !== "bandwidth" && plan["type"] !== "slicer"

export const heldToFaults = (held: Held): void => {
  const cells = faultCells(held.file)
  const kept = cells.filter((cell) => held.exception(cell).leftOut === undefined).map((cell): FaultCell => ({
    ...cell,
    ...held.exception(cell).corrected
  }))
  describe(`${held.name} answers as the real one did under`, () => {
    it(`${kept.length} of ${cells.length} recorded faults`, () => {
      assert.strictEqual(kept.length, held.cells)
    })

    for (const cell of kept) {
      const { alsoRight, withoutText } = held.exception(cell)
      it.effect(`${cell.fault}: ${expected(cell)}`, () =>
        Effect.gen(function*() {
          const { answer, applied, seconds } = yield* play(held, cell)
          const right = [expected(cell), ...alsoRight === undefined ? [] : [alsoRight]]
          const error = textOf(fieldOf(answer, "error"))
          assert.include(right, short(answer), error)
          if (short(answer) === expected(cell)) {
            if (withoutText === undefined && answer !== undefined) assert.strictEqual(plain(error), plain(cell.error))
            assert.strictEqual(fieldOf(answer, "status"), cell.appserviceStatus)
          }
          if (isTimed(cell)) assert.approximately(seconds, cell.seconds, 0.25)
          if (cell.applied > 0) assert.isAbove(applied, 0, "the fault was not played")
        }))
    }
  })
}
