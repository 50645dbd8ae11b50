/** Reads the homeserver's report of its own call to the appservice, and weighs it. */
import * as ConnectionSign from "@appservice-ping/domain/ConnectionSign"
import type { Diagnosable, Weight } from "@appservice-ping/domain/Diagnosis"

/** The report of the homeserver. */
export interface Said {
  readonly weight: Weight
  /** How its connection failed; `answered` where it got an answer. */
  readonly sign: ConnectionSign.Sign
  /** Whether its words can mean something else too. */
  readonly possible: boolean
  /** The status that it got. */
  readonly status: number | undefined
  readonly body: string
  /** Its own words, which may name another host than the url does. */
  readonly text: string
}

const said = (weight: Weight, sign: Said["sign"], status?: number, body = ""): Said => ({
  weight,
  sign,
  possible: false,
  status,
  body,
  text: ""
})

const read = (error: { readonly error?: string }, context: ConnectionSign.Context): Said => {
  const { possible, sign, status } = ConnectionSign.read(error, context)
  return { ...said("text", status === undefined ? sign : "answered", status), possible, text: error.error ?? "" }
}

/** Reads an error of the ping; `undefined` where it is not about the way to the appservice. */
export const saidOf = (error: Diagnosable, context: ConnectionSign.Context): Said | undefined => {
  switch (error._tag) {
    case "M_BAD_STATUS":
      return said(error.status === undefined ? "code" : "status", "answered", error.status, error.body)
    case "M_CONNECTION_FAILED":
      return read(error, context)
    case "M_CONNECTION_TIMEOUT":
      return said("code", "timeout")
    case "OtherErrcode":
      return error.errcode === "M_UNKNOWN" && error.status >= 500 ? read(error, context) : undefined
    case "Undecided":
      // A homeserver that does not answer in time may wait for the appservice, some of them without an end.
      return error.failure === undefined ? said("seen", "unknown") : undefined
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
export const isVague = ({ possible, sign, status }: Said): boolean =>
  possible || sign === "unknown" || sign === "unreadable" || sign === "timeout" || sign === "closed" ||
  sign === "reset" || sign === "malformed" ||
  (sign === "answered" && status === undefined)
