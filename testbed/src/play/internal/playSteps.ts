/** Plays the steps of a fault on a connection. */
import { Bytes, Duration, Effect } from "effect"
import type { Step } from "../../step/Step.ts"
import type { HowEnded } from "../Connection.ts"
import { keepsAlive, MessageReader } from "../MessageReader.ts"
import type { Decided } from "../Session.ts"
import {
  end,
  highWater,
  letGo,
  nextExchange,
  noteAnswered,
  noteAsked,
  noteSecured,
  noteSent,
  type PlayedConnection,
  reachServer,
  shakeHands
} from "./PlayedConnection.ts"
import { bytesForServer, isWhole, passRemainder, readRequest, type Request, toReadRequest } from "./request.ts"

/** The application's answer, as far as it came. */
interface Kept {
  readonly bytes: Uint8Array
  readonly headLength: number
  /** How its connection ended, if that was before the end of the answer. */
  readonly cut: HowEnded | undefined
}

/** What is remembered from step to step. */
interface Play {
  readonly c: PlayedConnection
  readonly decided: Decided
  request: Request | undefined
  kept: Kept | undefined
  /** What the client has been sent, read as the answer that it is. */
  out: MessageReader | undefined
  isApplied: boolean
  /** Whether the handshake itself is the fault, so that a client that leaves in it has met it. */
  isHandshakeBad: boolean
}

/** What follows a step: the next one; nothing, because the client is gone; or nothing, because the connection ends. */
type Next = "on" | "gone" | "ended"

const apply = (play: Play): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (play.isApplied) return Effect.void
    play.isApplied = true
    return play.decided.applied
  })

const whilePresent = (play: Play, effect: Effect.Effect<unknown>): Effect.Effect<Next> =>
  Effect.raceFirst(Effect.as(effect, "on" as const), Effect.as(play.c.client.gone, "gone" as const))

const send = (play: Play, bytes: Uint8Array): Effect.Effect<Next> =>
  Effect.gen(function*() {
    const { client } = play.c
    const next = yield* whilePresent(play, client.drained(highWater))
    play.out?.feed(bytes)
    client.write(bytes)
    return client.closed ? "gone" : next
  })

/** The answer to a request is read anew: what it says decides whether the connection stays. */
const setRequest = (play: Play, request: Request): void => {
  play.request = request
  play.kept = undefined
  play.out = new MessageReader("answer", {
    method: request.head.method,
    maxHeadBytes: Number.POSITIVE_INFINITY,
    maxBodyBytes: 0
  })
}

const canKeep = ({ c, kept, out, request }: Play): boolean =>
  request !== undefined && isWhole(request) && keepsAlive(request.head) && kept?.cut === undefined &&
  out?.state === "done" && out.head !== undefined && keepsAlive(out.head) && c.client.theirs === undefined

/** Ends the connection as the application would have. */
const endAsApplication = (play: Play): Effect.Effect<void> => end(play.c, play.kept?.cut ?? "fin")

const readWhole = (play: Play): Effect.Effect<Next> =>
  Effect.gen(function*() {
    const { c } = play
    if (play.request !== undefined && !canKeep(play)) {
      yield* endAsApplication(play)
      return "ended"
    }
    yield* noteSent(c)
    const read = yield* readRequest(c)
    if (read._tag === "Over") return "gone"
    yield* nextExchange(c)
    if (read._tag === "Unreadable") {
      play.request = undefined
      return c.client.theirs === undefined ? "on" : "gone"
    }
    const { request } = read
    yield* c.settings.session.note(toReadRequest(c, request))
    setRequest(play, request)
    return "on"
  })

const readSome = (play: Play, bytes: number): Effect.Effect<Next> => {
  const { client, settings } = play.c
  const enough = Math.min(bytes, settings.maxRequestBytes)
  return client.until(() => client.size >= enough || client.theirs !== undefined).pipe(
    Effect.timeoutOrElse({ duration: settings.idleTimeout, orElse: () => end(play.c, "fin") }),
    Effect.map((): Next => client.size >= enough ? "on" : "gone")
  )
}

/** Gives the request to the application, and keeps its answer. */
const forward = (play: Play): Effect.Effect<Next> =>
  Effect.gen(function*() {
    const { c, request } = play
    if (request === undefined) return "on"
    const server = yield* reachServer(c)
    if (server === undefined) {
      play.kept = { bytes: new Uint8Array(), headLength: 0, cut: "rst" }
      return "on"
    }
    yield* noteAsked(c)
    server.write(bytesForServer(c, request))
    const { maxAnswerBytes, maxHeadBytes } = c.settings
    const reader = new MessageReader("answer", { method: request.head.method, maxHeadBytes, maxBodyBytes: 0 })
    const chunks: Array<Uint8Array> = []
    let length = 0
    const keep = Effect.gen(function*() {
      let isAnswered = false
      while (reader.state !== "done" && length < maxAnswerBytes) {
        const chunk = server.take()
        if (chunk === undefined) {
          if (server.theirs !== undefined || server.closed) return
          yield* server.readable
          continue
        }
        const used = reader.feed(chunk)
        chunks.push(chunk.subarray(0, used))
        length += used
        server.giveBack(chunk.subarray(used))
        // A client that waits for it sends the rest only then.
        if (reader.head === undefined && reader.headLength > 0 && !isWhole(request)) yield* send(play, chunk)
        if (reader.head !== undefined && !isAnswered) {
          isAnswered = true
          yield* noteAnswered(c, reader.head.status)
        }
      }
    })
    const exchange = isWhole(request) ? keep : Effect.raceFirst(
      keep,
      Effect.andThen(passRemainder(c, request, server), Effect.never)
    )
    const next = yield* whilePresent(play, exchange)
    const isTooLong = reader.state !== "done" && length >= maxAnswerBytes
    play.kept = {
      bytes: Bytes.concat(chunks),
      headLength: reader.headLength,
      cut: isTooLong ? "rst" : cutOf(reader, server.theirs)
    }
    if (isTooLong) yield* Effect.logWarning("An answer is longer than what is kept of it, and is cut")
    const canStay = reader.state === "done" && reader.head !== undefined && keepsAlive(reader.head) &&
      keepsAlive(request.head)
    // A connection that is about to be closed must not be taken for the next request.
    if (!canStay) letGo(c, server)
    return next
  })

/** An answer that ends with its connection is whole when that is closed, and cut when it is reset. */
const cutOf = (reader: MessageReader, theirs: HowEnded | undefined): HowEnded | undefined => {
  if (reader.state === "done") return undefined
  return reader.state === "until-close" ? theirs === "rst" ? "rst" : undefined : theirs ?? "rst"
}

const relay = (play: Play, step: Extract<Step, { step: "relay" }>): Effect.Effect<Next> =>
  Effect.gen(function*() {
    const { kept } = play
    if (kept === undefined) return "on"
    const start = step.body === true ? Math.min(kept.headLength, kept.bytes.length) : 0
    const whole = kept.bytes.subarray(start)
    const bytes = whole.subarray(step.from ?? 0, step.to ?? whole.length)
    const size = step.size ?? Math.max(1, bytes.length)
    for (let at = 0; at < bytes.length; at += size) {
      if (at > 0) {
        // Small pieces that wait together would go out as one.
        const pause = step.gap === undefined ? play.c.client.drained(0) : play.c.settings.sleep(step.gap)
        if ((yield* whilePresent(play, pause)) === "gone") return "gone"
      }
      if ((yield* send(play, bytes.subarray(at, at + size))) === "gone") return "gone"
    }
    return "on"
  })

const secure = (play: Play, step: Extract<Step, { step: "secure" }>): Effect.Effect<Next> =>
  Effect.gen(function*() {
    if (!play.c.settings.tls) return "on"
    const { certificate, client_certificate, version } = step
    play.isHandshakeBad = certificate !== "good" || version !== undefined || client_certificate === true
    yield* noteSecured(play.c, step)
    return (yield* shakeHands(play.c, step)) ? "on" : "gone"
  })

const playStep = (play: Play, step: Step): Effect.Effect<Next> => {
  const { c, decided } = play
  const { leg, session } = c.settings
  const where = { leg, connection: c.connection }
  switch (step.step) {
    case "secure":
      return secure(play, step)
    case "read":
      return step.bytes === undefined ? readWhole(play) : readSome(play, step.bytes)
    case "forward":
      return forward(play)
    case "write":
      return send(play, step.bytes)
    case "relay":
      return relay(play, step)
    case "wait":
      return Effect.gen(function*() {
        if (decided.decision.fault?.type === "latency") yield* apply(play)
        const next = yield* whilePresent(play, c.settings.sleep(step.duration))
        yield* session.write({ event: "waited", ...where, millis: Duration.toMillis(step.duration) })
        return next
      })
    case "hang":
      return Effect.gen(function*(): Effect.fn.Return<Next> {
        yield* noteSent(c)
        yield* session.write({ event: "hung", ...where })
        yield* apply(play)
        c.client.discard()
        yield* c.client.gone
        return "gone"
      })
    case "close":
      return Effect.gen(function*(): Effect.fn.Return<Next> {
        yield* noteSent(c)
        yield* apply(play)
        yield* end(c, step.how)
        return "ended"
      })
  }
}

/** A client that leaves has met the fault, unless the steps still waited for it to go on. */
const hasMet = (play: Play, step: Step): boolean =>
  play.isHandshakeBad || (step.step !== "read" && step.step !== "secure")

/**
 * Plays the steps, beginning with a request if one was read already; succeeds with whether another request can follow
 * on the connection.
 */
export const playSteps = (
  c: PlayedConnection,
  steps: ReadonlyArray<Step>,
  decided: Decided,
  request: Request | undefined
): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const play: Play = {
      c,
      decided,
      request: undefined,
      kept: undefined,
      out: undefined,
      isApplied: false,
      isHandshakeBad: false
    }
    if (request !== undefined) setRequest(play, request)
    for (const step of steps) {
      const next = yield* playStep(play, step)
      if (next === "on") continue
      if (next === "gone") {
        yield* noteSent(c)
        if (hasMet(play, step)) yield* apply(play)
      }
      return false
    }
    yield* noteSent(c)
    yield* apply(play)
    if (canKeep(play)) return true
    yield* endAsApplication(play)
    return false
  })
