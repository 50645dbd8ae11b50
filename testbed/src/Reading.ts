/**
 * What an HTTP client reads of an answer, and when: the answer's bytes, taken apart as `node:http` would.
 *
 * It is a pure function of the steps, so it says both what a client in memory has to see and what is to be expected of
 * one on a socket.
 *
 * @since 0.1.0
 */
import { Data, Duration } from "effect"
import type { Step } from "./Verdict.ts"

/**
 * Why an answer could not be read to its end.
 *
 * @category models
 * @since 0.1.0
 */
export type Defect = "closed" | "reset" | "malformed"

/**
 * Something that a client gets to see.
 *
 * @category models
 * @since 0.1.0
 */
export type Event = Data.TaggedEnum<{
  Head: { readonly status: number; readonly headers: { readonly [name: string]: string } }
  Body: { readonly bytes: Uint8Array }
  End: {}
  Failure: { readonly defect: Defect }
}>

/**
 * Constructors of events.
 *
 * @category constructors
 * @since 0.1.0
 */
export const Event = Data.taggedEnum<Event>()

/**
 * An event, and how long after the previous one it comes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timed {
  readonly after: Duration.Duration
  readonly event: Event
}

/** Where the body ends: after so many bytes, at the last chunk, or with the connection. */
type Framing = "length" | "chunked" | "close"

const latin1 = new TextDecoder("latin1")

const toBytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

const parseHead = (text: string): Data.TaggedEnum.Value<Event, "Head"> | undefined => {
  const [statusLine = "", ...lines] = text.split("\r\n")
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]
  if (status === undefined) return undefined
  const headers = Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(":")
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  }))
  return Event.Head({ status: Number(status), headers })
}

/**
 * Reads the bytes of one answer as they come. It keeps what it cannot use yet, so it does not matter how the bytes are
 * cut into pieces. It is given only what {@link "Verdict"} writes, which is well-formed as far as it goes, or is not
 * HTTP at all.
 */
const makeReader = () => {
  let buffer = ""
  let framing: Framing | undefined
  let left = 0
  let done = false

  const finish = (event: Event): ReadonlyArray<Event> => {
    done = true
    return [event]
  }

  const takeHead = (): ReadonlyArray<Event> => {
    if (!"HTTP/1.1 ".startsWith(buffer.slice(0, 9))) return finish(Event.Failure({ defect: "malformed" }))
    const end = buffer.indexOf("\r\n\r\n")
    if (end === -1) return []
    const head = parseHead(buffer.slice(0, end))
    if (head === undefined) return finish(Event.Failure({ defect: "malformed" }))
    buffer = buffer.slice(end + 4)
    const length = head.headers["content-length"]
    framing = head.headers["transfer-encoding"] === "chunked" ? "chunked" : length === undefined ? "close" : "length"
    left = Number(length ?? 0)
    const isEmpty = head.status === 204 || head.status === 304 || (framing === "length" && left === 0)
    return isEmpty ? [head, ...finish(Event.End())] : [head]
  }

  const takeBytes = (count: number): ReadonlyArray<Event> => {
    const text = buffer.slice(0, count)
    buffer = buffer.slice(text.length)
    left -= text.length
    return text === "" ? [] : [Event.Body({ bytes: toBytes(text) })]
  }

  const takeChunk = (): ReadonlyArray<Event> => {
    if (left > 0) return takeBytes(left)
    // The line with the size of a chunk follows the line break that ends the previous one.
    const line = /^(?:\r\n)?([\da-f]+)\r\n/i.exec(buffer)
    if (line === null) return []
    buffer = buffer.slice(line[0].length)
    left = Number.parseInt(line[1] ?? "", 16)
    return left === 0 ? finish(Event.End()) : takeChunk()
  }

  const take = (): ReadonlyArray<Event> => {
    switch (framing) {
      case undefined:
        return takeHead()
      case "chunked":
        return takeChunk()
      case "close":
        return takeBytes(buffer.length)
      case "length": {
        const events = takeBytes(left)
        return left === 0 ? [...events, ...finish(Event.End())] : events
      }
    }
  }

  return {
    isDone: () => done,
    write: (bytes: Uint8Array): ReadonlyArray<Event> => {
      buffer += latin1.decode(bytes)
      const events: Array<Event> = []
      let taken: ReadonlyArray<Event> = []
      do {
        taken = done ? [] : take()
        events.push(...taken)
      } while (taken.length > 0)
      return events
    },
    close: (how: "fin" | "rst"): ReadonlyArray<Event> =>
      how === "rst"
        ? finish(Event.Failure({ defect: "reset" }))
        : framing === "close"
        ? finish(Event.End())
        : finish(Event.Failure({ defect: "closed" }))
  }
}

/**
 * Tells what a client reads of an answer, and when.
 *
 * **Details**
 *
 * The last event is `End` or `Failure`. Without either the answer never ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const timeline = (steps: ReadonlyArray<Step>): ReadonlyArray<Timed> => {
  const reader = makeReader()
  const timed: Array<Timed> = []
  let after = Duration.zero
  const add = (events: ReadonlyArray<Event>): void => {
    for (const event of events) {
      timed.push({ after, event })
      after = Duration.zero
    }
  }
  for (const step of steps) {
    if (reader.isDone() || step._tag === "Hang") break
    if (step._tag === "Wait") after = Duration.sum(after, step.duration)
    else add(step._tag === "Write" ? reader.write(step.bytes) : reader.close(step.how))
  }
  return timed
}
