/** What the homeserver said of its own call to the appservice, and how much that weighs. */
import * as ConnectionSign from "@appservice-ping/domain/ConnectionSign"
import type { Diagnosable, Weight } from "@appservice-ping/domain/Diagnosis"

/** What it said. */
export interface Said {
  readonly weight: Weight
  /** How its connection failed, or `answered` where it got an answer. */
  readonly sign: ConnectionSign.Sign | "answered"
  /** The status that it got. */
  readonly status: number | undefined
  readonly body: string
}

const said = (weight: Weight, sign: Said["sign"], status?: number, body = ""): Said => ({ weight, sign, status, body })

/** Words that say that something answered, and not what. */
const isAnswer = (text: string | undefined): boolean =>
  /invalid response from appservice|unsuccessful http response/i.test(text ?? "")

const read = (error: { readonly error?: string }): Said => {
  const { sign, status } = ConnectionSign.read(error)
  if (status !== undefined) return said("text", "answered", status)
  return said("text", sign === "unknown" && isAnswer(error.error) ? "answered" : sign)
}

/** Reads an error of the ping; `undefined` where it is not about the way to the appservice. */
export const saidOf = (error: Diagnosable): Said | undefined => {
  switch (error._tag) {
    case "M_BAD_STATUS":
      return said(error.status === undefined ? "code" : "status", "answered", error.status, error.body)
    case "M_CONNECTION_FAILED":
      return read(error)
    case "M_CONNECTION_TIMEOUT":
      return said("code", "timeout")
    case "OtherErrcode":
      return error.errcode === "M_UNKNOWN" && error.status >= 500 ? read(error) : undefined
    default:
      return undefined
  }
}

const openingSigns: ReadonlySet<Said["sign"]> = new Set(["dns", "refused", "unreachable"])

/** Whether the homeserver says that it did not get as far as a connection. */
export const isOpening = ({ sign }: Said): boolean => openingSigns.has(sign)

/** Whether the homeserver says that it found no way: only that can be due to where it runs. */
export const foundNoWay = ({ sign }: Said): boolean =>
  sign === "refused" || sign === "unreachable" || sign === "timeout"

/** Whether the words leave open what happened: connections end so for many reasons, and some peers say no more. */
export const isVague = ({ sign, status }: Said): boolean =>
  sign === "unknown" || sign === "timeout" || sign === "closed" || sign === "reset" || sign === "malformed" ||
  (sign === "answered" && status === undefined)
