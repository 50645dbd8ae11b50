/** What the doctor concludes of each fault with a real homeserver, held against what is true. */
import * as Json from "@appservice-ping/domain/Json"
import { answers } from "@appservice-ping/testbed/fault/kind/PeerAnswer"
import { Predicate } from "effect"
import { familyOf, truthOf } from "../generate/doctorTable/truth.ts"
import type { Cell } from "./cells.ts"
import type { Homeserver } from "./Homeservers.ts"
import type { Lab } from "./Lab.ts"
import { type Lane, whileInForce } from "./Lanes.ts"

/** What the doctor said, and whether it fits. */
export interface Said {
  readonly fault: string
  readonly code: number | null
  readonly cause: string
  readonly actor: string
  readonly certainty: string
  /** Empty where cause, person and exit code are right. */
  readonly verdict: string
}

/** The doctor asks before it pings, and gives the ping 90 seconds, which Synapse uses up for an answer that never ends. */
const millisMax = 200_000

const answerOf = (name: string) => {
  const found = Object.entries(answers).find(([known]) => known === name)?.[1]
  if (found === undefined) throw new Error(`no answer is called ${name}`)
  return found
}

/** On a leg with TLS all that comes before a request is the handshake: whoever breaks off at once breaks that off. */
const asJudged = ({ fault, tls }: Cell): Cell["fault"] =>
  tls && "phase" in fault && fault.phase === "accept" && (fault.type === "reset_peer" || fault.type === "close")
    ? { ...fault, phase: "handshake" }
    : fault

/** Lets the doctor look while a fault is in force. */
export const examine = async (lab: Lab, homeserver: Homeserver, lane: Lane, cell: Cell): Promise<Said> => {
  const args = ["doctor", "--registration", lane.file, "--homeserver", homeserver.url, "--json"]
  const env = { NODE_EXTRA_CA_CERTS: lane.ca }
  const [{ code, stdout }] = await whileInForce(lane, cell.fault, () => lab.cli(args, millisMax, env))
  const report = Json.parse(stdout)
  const said = Predicate.isObject(report) && Predicate.isObject(report["conclusion"]) ? report["conclusion"] : {}
  const text = (name: string): string => typeof said[name] === "string" ? said[name] : ""
  const cause = text("cause").replaceAll(new URL(lane.fields.url).host, "HOST").replaceAll(lane.fields.id, "ID")
  const family = familyOf(text("cause"))
  const truth = truthOf(asJudged(cell), (name) => answerOf(name))
  const isFalse = truth !== undefined && text("certainty") === "certain" &&
    (family === undefined || !truth.families.includes(family))
  const isActorRight = truth === undefined || truth.actors.some((actor) => actor === text("actor"))
  const isExitRight = (code === 0) === (family === "well")
  const verdict = [
    ...code === null ? ["NO CONCLUSION"] : [],
    ...isFalse ? ["FALSE FACT"] : [],
    ...isExitRight ? [] : ["WRONG EXIT CODE"],
    ...isActorRight ? [] : ["another person"]
  ].join(", ")
  return { fault: cell.title, code, cause, actor: text("actor"), certainty: text("certainty"), verdict }
}
