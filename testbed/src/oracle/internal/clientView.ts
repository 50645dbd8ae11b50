/** What a client sees of the steps of an action, and when: a walk through the steps, without any interpreter. */
import type { Kind } from "@appservice-ping/domain/ConnectionFailure"
import { Bytes, Duration } from "effect"
import type { Stage } from "../../fault/Kind.ts"
import type { Action } from "../../step/Action.ts"
import type { Step } from "../../step/Step.ts"
import { AnswerReader, type Reader, type Seen } from "./AnswerReader.ts"

/** What is behind the fault: its answer as bytes, and how long that takes. */
export interface Application {
  readonly head: Uint8Array
  readonly body: Uint8Array
  readonly after: number
}

/** There is no connection, or no TLS on it; `isUnreached` says that nobody can have read the request. */
export interface Unconnected {
  readonly _tag: "Unconnected"
  readonly kind: Kind
  readonly isUnreached: boolean
}

/** What is seen, in the order of time. */
export interface ClientView {
  readonly sights: ReadonlyArray<{ readonly at: number; readonly what: Seen | Unconnected }>
  /** When the application was asked. */
  readonly asked: ReadonlyArray<number>
}

export interface Setting {
  readonly application: Application
  readonly tls: boolean
  readonly stage: Stage
  readonly reader: Reader
  readonly connectTimeout: number
}

/** Follows the steps of an action, and notes what the client gets to see and when. */
class Walk {
  private readonly setting: Setting
  private readonly answer: AnswerReader
  private readonly sights: Array<ClientView["sights"][number]> = []
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
    this.answer = new AnswerReader(setting.reader)
    this.hasRequest = setting.stage === "request"
    this.isSecured = !setting.tls || this.hasRequest
    this.isOld = this.hasRequest
  }

  play(steps: ReadonlyArray<Step>): ClientView {
    for (const step of steps) {
      this.step(step)
      if (this.isOver) return this.view
    }
    // What the steps leave open stays open only after a whole answer.
    if (!this.answer.hasEnded) this.close("fin")
    return this.view
  }

  get view(): ClientView {
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
      this.unconnected("timeout", true)
    }
  }

  private unconnected(kind: Kind, isUnreached = kind === "dns" || kind === "refused" || kind === "tls"): void {
    this.isOver = true
    this.sights.push({ at: this.at, what: { _tag: "Unconnected", kind, isUnreached } })
  }

  private see(seen: ReadonlyArray<Seen>): void {
    for (const what of seen) this.sights.push({ at: this.at, what })
  }

  private secure({ certificate, client_certificate, version }: Extract<Step, { step: "secure" }>): void {
    if (!this.setting.tls) return
    if (certificate !== "good" || version !== undefined || client_certificate === true) return this.unconnected("tls")
    this.isSecured = true
  }

  private read(bytes: number | undefined): void {
    this.isOld = true
    // What comes in place of a request is the start of a handshake, which is none.
    if (bytes !== undefined || !this.isSecured) return
    // A client that has its answer sends no other request; the one that is there is read once.
    if (this.hasRequest) this.isOver = true
    this.hasRequest = true
    if (this.isOver && !this.answer.hasEnded) this.see(this.answer.close("fin"))
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
    if (this.isSecured) return this.see(this.answer.write(bytes))
    this.unconnected("tls")
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
    if (how === "rst" && !this.isOld) return this.unconnected("reset", true)
    if (this.isSecured) return this.see(this.answer.close(how))
    this.unconnected(how === "fin" ? "tls" : "reset")
  }

  /** There is never a connection; some clients have a bound for that. */
  never(): ClientView {
    if (Number.isFinite(this.setting.connectTimeout)) {
      this.at = this.setting.connectTimeout
      this.unconnected("timeout", true)
    }
    return this.view
  }

  fail(kind: Kind): ClientView {
    this.unconnected(kind)
    return this.view
  }
}

const healthy: ReadonlyArray<Step> = [{ step: "forward" }, { step: "relay" }]

/** What the client of a request sees under an action. */
export const viewOf = (action: Action, setting: Setting): ClientView => {
  switch (action._tag) {
    case "Pass":
      return new Walk({ ...setting, stage: "request" }).play(healthy)
    case "Play":
      return new Walk(setting).play(action.steps)
    case "Refuse":
      return new Walk(setting).fail("refused")
    case "Ignore":
      return new Walk(setting).never()
    case "Resolve":
      return action.failure === "hang"
        ? new Walk(setting).never()
        : new Walk(setting).fail("dns")
    case "Crash":
      return new Walk({ ...setting, stage: "request" }).play([{ step: "close", how: "rst" }])
  }
}
