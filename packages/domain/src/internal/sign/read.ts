/** Reads what a text says about a failed connection: one table of signs, the most specific of them first. */
import { answerSigns, malformedSigns } from "./answerSigns.ts"
import { connectSigns, dnsSigns, endedSigns, timeoutSigns } from "./connectionSigns.ts"
import { type Known, withoutEchoes } from "./echo.ts"
import { proxySigns } from "./proxySigns.ts"
import type { Row, Sign, TlsDefect, UrlPart } from "./Sign.ts"
import { statusOf } from "./status.ts"
import { httpToTlsSigns, plainSigns, tlsSigns } from "./tlsSigns.ts"
import { urlSigns } from "./urlSigns.ts"

export type { Sign, TlsDefect, UrlPart } from "./Sign.ts"

/** Signs that come before a status: they explain it. */
const first: ReadonlyArray<Row> = [...proxySigns, ...httpToTlsSigns]

/** What failed comes before how the connection ended then. */
const second: ReadonlyArray<Row> = [
  ...answerSigns.filter(({ sign }) => sign === "noLength"),
  ...plainSigns,
  ...tlsSigns,
  ...urlSigns,
  ...answerSigns,
  ...dnsSigns,
  ...connectSigns,
  ...endedSigns.filter(({ sign }) => sign === "reset"),
  ...timeoutSigns,
  ...malformedSigns,
  ...endedSigns
]

/** Every row, in the order in which they are tried. */
export const rows: ReadonlyArray<Row> = [...first, ...second]

/** What a text says. */
export interface Reading {
  readonly sign: Sign
  readonly tls: TlsDefect
  readonly part: UrlPart
  /** The status of the answer, where the text names one and says nothing that explains it. */
  readonly status: number | undefined
  /** Whether the words can mean something else too. */
  readonly possible: boolean
}

/** What reading a text takes besides the text. */
export interface Options extends Known {
  /** The scheme of the URL that was called, where it is known: TLS needs https. */
  readonly scheme?: string | undefined
}

const reading = (row: Row | undefined, status: number | undefined): Reading => ({
  sign: row?.sign ?? (status === undefined ? "unknown" : "answered"),
  tls: row?.tls ?? "unknown",
  part: row?.part ?? "whole",
  status: row === undefined ? status : undefined,
  possible: row?.possible === true
})

/** Texts are longer than that only where somebody wants them to be. */
const maxLength = 8192

/** Our own words are no accident: where a homeserver of ours has them, its copy of the url says https. */
const ourTls = /\bthe (?:TLS (?:certificate|connection|handshake)|port does not speak TLS)|closed in the TLS handshake/

/** Reads how a connection failed from a text about it; `unknown` at worst. */
export const read = (text: string | undefined, options: Options): Reading => {
  // Some clients print the bytes that they could not read as they are.
  const printed = (text ?? "").slice(0, maxLength).replaceAll("\u0015\u0003", String.raw`\x15\x03`)
  const words = withoutEchoes(printed, options).trim()
  const withoutTls = options.scheme === "http:" && !ourTls.test(words)
  const applies = ({ pattern, sign }: Row): boolean => !(withoutTls && sign === "tls") && pattern.test(words)
  const explaining = first.find(applies)
  if (explaining !== undefined) return reading(explaining, undefined)
  const status = statusOf(words)
  return status === undefined ? reading(second.find(applies), undefined) : reading(undefined, status)
}

/** Checks whether a body, which may be a web page, is that of a server that speaks TLS, or of a proxy. */
export const isHttpToTls = (body: string): boolean =>
  httpToTlsSigns.some(({ pattern }) => pattern.test(body.slice(0, maxLength)))

/** Reads the defect of TLS from any text about it. */
export const tlsOf = (text: string | undefined): TlsDefect => {
  const words = withoutEchoes((text ?? "").slice(0, maxLength), { urls: [] })
  return [...plainSigns, ...tlsSigns].find(({ pattern }) => pattern.test(words))?.tls ?? "unknown"
}
