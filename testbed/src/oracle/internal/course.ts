/** What a client gets to see when an action is played to it, and when: a walk through the steps, without any server. */
import { Bytes, Duration } from "effect"
import * as ClientError from "../../carrier/client/ClientError.ts"
import * as ClientReading from "../../carrier/client/ClientReading.ts"
import type { Stage } from "../../fault/Kind.ts"
import type { Action } from "../../step/Action.ts"
import type { Step } from "../../step/Step.ts"

/** What is behind the fault: its answer as bytes, and how long that takes. */
export interface Application {
  readonly head: Uint8Array
  readonly body: Uint8Array
  readonly after: number
}

/** What is seen, and when: a piece of an answer, or that there is no connection. */
export type Sight =
  | { readonly at: number; readonly _tag: "Read"; readonly event: ClientReading.Event }
  | { readonly at: number; readonly _tag: "Unconnected"; readonly error: Error }

export interface Course {
  readonly sights: ReadonlyArray<Sight>
  /** When the application was asked. */
  readonly asked: ReadonlyArray<number>
}

export interface Setting {
  readonly application: Application
  readonly tls: boolean
  readonly stage: Stage
  readonly flavour: ClientReading.Flavour
  readonly connectTimeout: number
}

const peer: ClientError.Peer = { host: "localhost", port: 0 }

/** Follows the steps of an action, and notes what the client gets to see and when. */
class Walk {
  private readonly setting: Setting
  private readonly reading: ClientReading.Reading
  private readonly sights: Array<Sight> = []
  private readonly asked: Array<number> = []
  private at = 0
  private hasRequest: boolean
  private isSecured: boolean
  /** Whether the server has waited for anything, so that its client is not connecting any more. */
  private isOld: boolean
  private hasKept = false
  private isOver = false

  constructor(setting: Setting) {
    this.setting = setting
    this.reading = ClientReading.make({ flavour: setting.flavour })
    this.hasRequest = setting.stage === "request"
    this.isSecured = !setting.tls || this.hasRequest
    this.isOld = this.hasRequest
  }

  play(steps: ReadonlyArray<Step>): Course {
    for (const step of steps) {
      this.step(step)
      if (this.isOver) return this.course
    }
    // What the steps leave open stays open only after a whole answer.
    if (!this.reading.isOver()) this.close("fin")
    return this.course
  }

  get course(): Course {
    return { sights: this.sights, asked: this.asked }
  }

  private step(step: Step): void {
    switch (step.step) {
      case "secure":
        return this.secure(step)
      case "read":
        return this.read(step.bytes)
      case "forward":
        return this.forward()
      case "write":
        return this.write(step.bytes)
      case "relay":
        return this.relay(step)
      case "wait":
        return this.wait(Duration.toMillis(step.duration))
      case "hang":
        this.isOver = true
        return
      case "close":
        return this.close(step.how)
    }
  }

  private wait(millis: number): void {
    this.at += millis
    this.isOld = true
    if (!this.isSecured && this.at >= this.setting.connectTimeout) {
      this.at = this.setting.connectTimeout
      this.unconnected(ClientError.ConnectDefect.Timeout({ millis: this.at }))
    }
  }

  private unconnected(defect: ClientError.ConnectDefect): void {
    this.isOver = true
    this.sights.push({
      at: this.at,
      _tag: "Unconnected",
      error: ClientError.ofConnect(this.setting.flavour, defect, peer)
    })
  }

  private see(events: ReadonlyArray<ClientReading.Event>): void {
    for (const event of events) this.sights.push({ at: this.at, _tag: "Read", event })
  }

  private secure({ certificate, client_certificate, version }: Extract<Step, { step: "secure" }>): void {
    if (!this.setting.tls) return
    const { ConnectDefect } = ClientError
    if (certificate !== "good") return this.unconnected(ConnectDefect.BadCertificate({ certificate }))
    if (version !== undefined) return this.unconnected(ConnectDefect.Alert({ number: 70 }))
    if (client_certificate === true) return this.unconnected(ConnectDefect.ClientCertificateRequired())
    this.isSecured = true
  }

  private read(bytes: number | undefined): void {
    this.isOld = true
    // What comes in place of a request is the start of a handshake, which is none.
    if (bytes !== undefined || !this.isSecured) return
    // A client that has its answer sends no other request; the one that is there is read once.
    if (this.hasRequest) this.isOver = true
    this.hasRequest = true
    if (this.isOver && !this.reading.isOver()) this.see(this.reading.close("fin"))
  }

  private forward(): void {
    if (!this.hasRequest) return
    this.asked.push(this.at)
    this.at += this.setting.application.after
    this.isOld = true
    this.hasKept = true
    if (!Number.isFinite(this.at)) this.isOver = true
  }

  private write(bytes: Uint8Array): void {
    if (this.isSecured) return this.see(this.reading.write(bytes))
    const isAlert = bytes[0] === 0x15 && bytes[1] === 3
    this.unconnected(
      isAlert
        ? ClientError.ConnectDefect.Alert({ number: bytes[6] ?? 0 })
        : ClientError.ConnectDefect.NotTls()
    )
  }

  private relay(step: Extract<Step, { step: "relay" }>): void {
    if (!this.hasKept) return
    const { body, head } = this.setting.application
    const whole = step.body === true ? body : Bytes.concat([head, body])
    const bytes = whole.subarray(step.from ?? 0, step.to ?? whole.length)
    const size = step.gap === undefined ? bytes.length : step.size ?? bytes.length
    for (let from = 0; from < bytes.length; from += size) {
      if (from > 0 && step.gap !== undefined) this.wait(Duration.toMillis(step.gap))
      this.write(bytes.subarray(from, from + size))
    }
  }

  private close(how: "fin" | "rst"): void {
    this.isOver = true
    const { ConnectDefect } = ClientError
    if (how === "rst" && !this.isOld) return this.unconnected(ConnectDefect.ConnectReset())
    if (this.isSecured) return this.see(this.reading.close(how))
    this.unconnected(how === "fin" ? ConnectDefect.HandshakeClosed() : ConnectDefect.HandshakeReset())
  }

  /** There is never a connection; some clients have a bound for that. */
  never(): Course {
    if (Number.isFinite(this.setting.connectTimeout)) {
      this.at = this.setting.connectTimeout
      this.unconnected(ClientError.ConnectDefect.Timeout({ millis: this.at }))
    }
    return this.course
  }

  fail(defect: ClientError.ConnectDefect): Course {
    this.unconnected(defect)
    return this.course
  }
}

const healthy: ReadonlyArray<Step> = [{ step: "forward" }, { step: "relay" }]

/** The course of a request under an action. */
export const courseOf = (action: Action, setting: Setting): Course => {
  const { ConnectDefect } = ClientError
  switch (action._tag) {
    case "Pass":
      return new Walk({ ...setting, stage: "request" }).play(healthy)
    case "Play":
      return new Walk(setting).play(action.steps)
    case "Refuse":
      return new Walk(setting).fail(ConnectDefect.Refused())
    case "Ignore":
      return new Walk(setting).never()
    case "Resolve":
      return action.failure === "hang"
        ? new Walk(setting).never()
        : new Walk(setting).fail(
          action.failure === "not_found" ? ConnectDefect.NotFound() : ConnectDefect.TryAgain()
        )
    case "Crash":
      return new Walk({ ...setting, stage: "request" }).play([{ step: "close", how: "rst" }])
  }
}
