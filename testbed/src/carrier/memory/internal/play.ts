/** Plays the steps of a fault on a connection in memory. */
import { Duration, Effect } from "effect"
import type { Decided } from "../../../play/Session.ts"
import type { Step } from "../../../step/Step.ts"
import * as ClientError from "../../client/ClientError.ts"
import * as ClientReading from "../../client/ClientReading.ts"
import { toBytes } from "./answerBytes.ts"
import { ask, renderFor } from "./application.ts"
import type { Arrived, Connection } from "./Connection.ts"

/** What the client raises for a certificate is its own business. */
export type OfConnect = (defect: ClientError.ConnectDefect) => Error

interface Kept {
  readonly bytes: Uint8Array
  readonly headLength: number
}

class Play {
  readonly c: Connection
  readonly decided: Decided
  readonly ofConnect: OfConnect
  request: Arrived | undefined
  kept: Kept | undefined
  /** What was sent, read as the answer that it is: it says whether the connection can stay. */
  private out: ClientReading.Reading | undefined
  private isApplied = false
  private isMet = true

  constructor(c: Connection, decided: Decided, ofConnect: OfConnect) {
    this.c = c
    this.decided = decided
    this.ofConnect = ofConnect
  }

  readonly apply: Effect.Effect<void> = Effect.suspend(() => {
    if (this.isApplied) return Effect.void
    this.isApplied = true
    return this.decided.applied
  })

  /** A client that leaves has met the fault, unless the steps still waited for it to go on. */
  readonly gone: Effect.Effect<void> = Effect.suspend(() => this.isMet ? this.apply : Effect.void)

  setRequest(request: Arrived): void {
    this.request = request
    this.kept = undefined
    this.out = ClientReading.make({
      flavour: "node",
      maxHeaderBytes: Number.POSITIVE_INFINITY,
      isHead: request.request.method === "HEAD"
    })
  }

  send(bytes: Uint8Array): void {
    this.out?.write(bytes)
    this.c.send(bytes)
  }

  get canKeep(): boolean {
    return this.request?.keepsAlive === true && this.out?.keepsAlive() === true && !this.c.isClosed
  }

  /** Plays one step; succeeds with whether the next one follows. */
  step(step: Step): Effect.Effect<boolean> {
    this.isMet = step.step !== "read" && step.step !== "secure"
    switch (step.step) {
      case "secure":
        return this.secure(step)
      case "read":
        return step.bytes === undefined ? this.readWhole : Effect.as(this.readSome, true)
      case "forward":
        return this.forward
      case "write":
        this.send(step.bytes)
        return Effect.succeed(true)
      case "relay":
        return this.relay(step)
      case "wait":
        return this.wait(step.duration)
      case "hang":
        return this.hang
      case "close":
        return this.c.noteSent.pipe(
          Effect.andThen(this.apply),
          Effect.andThen(this.c.endByServer(step.how)),
          Effect.as(false)
        )
    }
  }

  private secure(step: Extract<Step, { step: "secure" }>): Effect.Effect<boolean> {
    const { c, ofConnect } = this
    if (!c.route.tls) return Effect.succeed(true)
    return Effect.andThen(c.write({ event: "secured", ...c.where, certificate: step.certificate }), () => {
      if (c.plain !== undefined) return Effect.succeed(true)
      // The client refuses the certificate, and closes.
      if (step.certificate !== "good") {
        return this.refuse(
          ofConnect(ClientError.ConnectDefect.BadCertificate({ certificate: step.certificate })),
          "client"
        )
      }
      if (step.version !== undefined) return this.refuse(ofConnect(ClientError.ConnectDefect.Alert({ number: 70 })))
      if (step.client_certificate === true) {
        return this.refuse(ofConnect(ClientError.ConnectDefect.ClientCertificateRequired()))
      }
      c.handshake = "done"
      c.wake()
      return Effect.succeed(true)
    })
  }

  private refuse(error: Error, by: "server" | "client" = "server"): Effect.Effect<boolean> {
    this.c.handshake = "refused"
    this.c.handshakeError = error
    return Effect.as(Effect.andThen(this.apply, this.c.endByServer("fin", by)), false)
  }

  private get readWhole(): Effect.Effect<boolean> {
    const { c } = this
    return Effect.gen({ self: this }, function*() {
      if (this.request !== undefined && !this.canKeep) {
        yield* c.noteSent
        yield* c.endByServer("fin")
        return false
      }
      yield* c.noteSent
      if (c.handshake === "pending") {
        // What came is the start of a handshake, which is no request.
        c.isOld = true
        c.begin()
        return true
      }
      const arrived = yield* c.nextRequest()
      c.begin()
      yield* c.noteRequest(arrived)
      this.setRequest(arrived)
      return true
    })
  }

  /** The start of a request, or of a handshake: a client says hello as soon as it is connected. */
  private get readSome(): Effect.Effect<void> {
    const { c } = this
    c.isOld = true
    return c.handshake === "pending" ? Effect.void : c.someRequest
  }

  private get forward(): Effect.Effect<boolean> {
    const { c, request } = this
    if (request === undefined) return Effect.succeed(true)
    return Effect.gen({ self: this }, function*() {
      yield* c.write({ event: "asked", ...c.here })
      const answer = yield* ask(c, request)
      if (answer === undefined) {
        this.kept = { bytes: new Uint8Array(), headLength: 0 }
        return true
      }
      const rendered = yield* renderFor(request, answer)
      yield* c.write({ event: "answered", ...c.here, status: rendered.status })
      this.kept = toBytes(rendered)
      return true
    })
  }

  private relay(step: Extract<Step, { step: "relay" }>): Effect.Effect<boolean> {
    const { kept } = this
    if (kept === undefined) return Effect.succeed(true)
    const whole = kept.bytes.subarray(step.body === true ? kept.headLength : 0)
    const bytes = whole.subarray(step.from ?? 0, step.to ?? whole.length)
    const { gap, size } = step
    if (size === undefined || gap === undefined) {
      this.send(bytes)
      return Effect.succeed(true)
    }
    return Effect.gen({ self: this }, function*() {
      for (let at = 0; at < bytes.length; at += size) {
        if (at > 0) yield* this.sleep(gap)
        this.send(bytes.subarray(at, at + size))
      }
      return true
    })
  }

  private sleep(duration: Duration.Duration): Effect.Effect<void> {
    this.c.isOld = true
    this.c.wake()
    return Effect.sleep(duration)
  }

  private wait(duration: Duration.Duration): Effect.Effect<boolean> {
    const { c } = this
    const waited = Effect.suspend(() => c.write({ event: "waited", ...c.where, millis: Duration.toMillis(duration) }))
    const begun = this.decided.decision.fault?.type === "latency" ? this.apply : Effect.void
    return Effect.andThen(begun, Effect.suspend(() => this.sleep(duration))).pipe(
      Effect.ensuring(waited),
      Effect.as(true)
    )
  }

  private get hang(): Effect.Effect<boolean> {
    const { c } = this
    return c.noteSent.pipe(
      Effect.andThen(Effect.suspend(() => c.write({ event: "hung", ...c.where }))),
      Effect.andThen(this.apply),
      Effect.andThen(Effect.suspend(() => {
        c.isOld = true
        c.wake()
        return Effect.never
      }))
    )
  }
}

/** Plays the steps; succeeds with whether another request can follow on the connection. */
export const play = Effect.fnUntraced(function*(
  c: Connection,
  steps: ReadonlyArray<Step>,
  decided: Decided,
  ofConnect: OfConnect,
  request: Arrived | undefined
): Effect.fn.Return<boolean> {
  const play = new Play(c, decided, ofConnect)
  if (request !== undefined) play.setRequest(request)
  c.onGone = play.gone
  for (const step of steps) {
    if (!(yield* play.step(step)) || c.isClosed) return false
    // A client that gets what it has not asked for closes; what is still to come is played to nobody.
    if (c.isStray) yield* Effect.forkDetach(c.leave)
  }
  yield* c.noteSent
  yield* play.apply
  c.onGone = Effect.void
  if (play.canKeep) return true
  yield* c.endByServer("fin")
  return false
})
