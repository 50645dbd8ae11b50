/** What `reset_peer`, `close` and `stall` have in common: a connection that breaks off in a phase. */
import { Schema } from "effect"
import type { Leg } from "../../step/Leg.ts"
import type { Step } from "../../step/Step.ts"
import type { Stage } from "../Kind.ts"
import { type BreakOptions, Framing, Phase } from "../Phase.ts"
import { head, jsonHead } from "./http.ts"
import { forward, read, relay, secure, write } from "./steps.ts"

export const breakFields = { phase: Phase, framing: Schema.optionalKey(Framing) }

const breakSynonyms = { phase: ["at", "place", "stage"] }

interface Break {
  readonly phase: Phase
  readonly framing?: Framing
}

const halfHead = "HTTP/1.1 200 OK\r\nContent-Type: applic"

const halfBody = (framing: Framing): Step => {
  switch (framing) {
    case "content_length":
      return write(head(200, { ...jsonHead, "Content-Length": "20" }) + "{\"cut\":")
    case "chunked":
      // One whole chunk, and the start of the next one.
      return write(head(200, { ...jsonHead, "Transfer-Encoding": "chunked" }) + "4\r\n{\"cu\r\n10\r\nt\":")
    case "until_close":
      return write(head(200, jsonHead) + "{\"cut\":")
  }
}

/** What comes before the break: a phase is reached by the steps that a healthy server takes up to it. */
export const before = ({ framing = "content_length", phase }: Break): ReadonlyArray<Step> => {
  switch (phase) {
    case "accept":
      return []
    case "handshake":
      return [{ step: "read", bytes: 1 }]
    case "request":
      return [secure(), { step: "read", bytes: 1 }]
    case "before_headers":
      return []
    case "in_headers":
      return [write(halfHead)]
    case "in_body":
      return [halfBody(framing)]
    case "after_answer":
      return [forward, relay]
    case "next_request":
      return [forward, relay, read]
  }
}

const early: ReadonlySet<Phase> = new Set<Phase>(["accept", "handshake", "request"])

const breakStage = ({ phase }: Break): Stage => early.has(phase) ? "connection" : "request"

const breakNeedsTls = ({ phase }: Break): boolean => phase === "handshake"

const breakVariant = ({ framing, phase }: Break): ReadonlyArray<string | undefined> => [
  phase,
  phase === "in_body" ? framing ?? "content_length" : undefined
]

/** What the definitions of the three have in common. */
export const breakKind = {
  fieldSynonyms: breakSynonyms,
  stageOf: breakStage,
  variantOf: breakVariant,
  needsTls: breakNeedsTls
}

const phases: { readonly [P in Phase]: string } = {
  accept: "at once",
  handshake: "in the TLS handshake",
  request: "while the request was still coming",
  before_headers: "before the headers",
  in_headers: "in the headers",
  in_body: "in the body",
  after_answer: "after the answer",
  next_request: "at the next request"
}

export const breakWords = ({ framing, phase }: Break): string =>
  phases[phase] + (phase === "in_body" && framing !== undefined && framing !== "content_length" ? `, ${framing}` : "")

const breaksIn = (phase: Phase): ReadonlyArray<BreakOptions> =>
  phase === "in_body" ? Framing.literals.map((framing) => ({ phase, framing })) : [{ phase }]

/** A homeserver says `Connection: close`, so that no other request can come on its connection (D11). */
export const breaks = (leg: Leg): ReadonlyArray<BreakOptions> =>
  Phase.literals.flatMap((phase) => leg === "to_appservice" && phase === "next_request" ? [] : breaksIn(phase))
