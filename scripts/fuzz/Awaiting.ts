/** Findings that are known and not mended yet, each with the issue that it is part of; none may be here for long. */
import type { Finding, FindingKind } from "./Finding.ts"

interface Known {
  /** Default: any. */
  readonly kind?: FindingKind
  readonly where: RegExp
  readonly text: RegExp
  readonly why: string
}

const known: ReadonlyArray<Known> = [
  {
    kind: "crash",
    where: /^process$/,
    text: /AssertionError[^]*onHttpSocketError/,
    why: "an assertion of the undici in Node fails outside of every call, at a 407 of HTTP/1.0"
  },
  {
    kind: "over-read",
    where: /./,
    text: /./,
    why: "chunk extensions and informational answers are read until the deadline (issue 10, 3)"
  },
  {
    kind: "secret",
    where: /^log$/,
    text: /RouteNotFound/,
    why: "Effect logs the whole URL of a request that no route of the app has (issue 10, 8)"
  }
]

/** Says why a finding is known, or nothing where it is new. */
export const whyKnown = ({ kind, text, where }: Finding): string | undefined =>
  known.find((one) => (one.kind === undefined || one.kind === kind) && one.where.test(where) && one.text.test(text))
    ?.why
