/**
 * What is to happen to a request: the few things that every fault comes down to.
 *
 * The decision is a pure function of the fault. The two interpreters, in memory and on the wire, only carry it out.
 *
 * @since 0.1.0
 */
import { Data, type Duration } from "effect"
import type { Fault, Framing, Place } from "./Fault.ts"

/**
 * One step of an answer that is played in the appservice's place.
 *
 * @category models
 * @since 0.1.0
 */
export type Step = Data.TaggedEnum<{
  /** Bytes of the answer. */
  Write: { readonly bytes: Uint8Array }
  /** Nothing happens for a while. */
  Wait: { readonly duration: Duration.Duration }
  /** Nothing happens any more, and the connection stays open. */
  Hang: {}
  /** The connection ends, with a FIN or an RST. */
  Close: { readonly how: "fin" | "rst" }
}>

/**
 * Constructors of steps.
 *
 * @category constructors
 * @since 0.1.0
 */
export const Step = Data.taggedEnum<Step>()

/**
 * What is to happen to a request.
 *
 * @category models
 * @since 0.1.0
 */
export type Verdict = Data.TaggedEnum<{
  /** The appservice gets the request, after a delay. */
  Forward: { readonly delay: Duration.Duration }
  /** No connection comes about. */
  Refuse: {}
  /** The request is read, and these steps are its answer. The last one is `Hang` or `Close`. */
  Play: { readonly steps: ReadonlyArray<Step> }
}>

/**
 * Constructors of verdicts.
 *
 * @category constructors
 * @since 0.1.0
 */
export const Verdict = Data.taggedEnum<Verdict>()

const encoder = new TextEncoder()

const write = (text: string): Step => Step.Write({ bytes: encoder.encode(text) })

const fin: Step = Step.Close({ how: "fin" })

const head = (status: number, headers: { readonly [name: string]: string }): string =>
  [`HTTP/1.1 ${status} `, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n")

const isBodiless = (status: number): boolean => status === 204 || status === 304

const answer = (status: number, headers: { readonly [name: string]: string }, body: string): string =>
  isBodiless(status)
    ? head(status, { ...headers, Connection: "close" })
    : head(status, { ...headers, "Content-Length": String(encoder.encode(body).length), Connection: "close" }) + body

/** The start of an answer that would have been a success, so that nobody can judge it by its status (D3). */
const start = (at: Place, framing: Framing): ReadonlyArray<Step> => {
  const json = { "Content-Type": "application/json", Connection: "close" }
  switch (at) {
    case "before-headers":
      return []
    case "in-headers":
      return [write("HTTP/1.1 200 OK\r\nContent-Type: applic")]
    case "in-body":
      return [
        framing === "content-length"
          ? write(head(200, { ...json, "Content-Length": "20" }) + "{\"cut\":")
          // One whole chunk, and the start of the next one.
          : write(head(200, { ...json, "Transfer-Encoding": "chunked" }) + "4\r\n{\"cu\r\n10\r\nt\":")
      ]
  }
}

/**
 * Decides what is to happen to a request under a fault.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decide = (fault: Fault): Verdict => {
  switch (fault._tag) {
    case "latency":
      return Verdict.Forward({ delay: fault.delay })
    case "status":
      return Verdict.Play({ steps: [write(answer(fault.status, fault.headers, fault.body)), fin] })
    case "refused":
      return Verdict.Refuse()
    case "cut":
      return Verdict.Play({ steps: [...start(fault.at, fault.framing), Step.Close({ how: fault.how })] })
    case "stall":
      return Verdict.Play({ steps: [...start(fault.at, fault.framing), Step.Hang()] })
    case "drip": {
      const bytes = encoder.encode(answer(fault.status, { "Content-Type": "application/json" }, fault.body))
      const wait = Step.Wait({ duration: fault.gap })
      const steps = Array.from(bytes, (_, index) => [wait, Step.Write({ bytes: bytes.subarray(index, index + 1) })])
      return Verdict.Play({ steps: [...steps.flat(), fin] })
    }
    case "malformed":
      // What an SSH server says when a client connects, and nothing an HTTP server ever says.
      return Verdict.Play({ steps: [write("SSH-2.0-OpenSSH_9.9\r\n"), fin] })
  }
}
