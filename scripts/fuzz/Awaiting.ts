/** Findings that are known, and why they are not mended here. */
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
    text: /AssertionError[^]*node:internal\/deps\/undici/,
    why: "an assertion of the undici in Node fails outside of every call, where its connection ends while it reads"
  },
  {
    kind: "over-read",
    where: /over (?:fetch|undici)$/,
    text: /./,
    why: "fetch and undici show no bytes but those of bodies, so that only the deadline bounds the rest"
  },
  {
    kind: "secret",
    where: /^span$/,
    text: /^the as_token in a span: url\.\w+=(?!.*access_token)/,
    why: "a client writes its token where no token belongs, at a path that is not one of Matrix"
  },
  {
    kind: "secret",
    where: /^log$/,
    text: /RouteNotFound/,
    why: "Effect logs the whole URL of a request that no route of the app has"
  }
]

/** Says why a finding is known, or nothing where it is new. */
export const whyKnown = ({ kind, text, where }: Finding): string | undefined =>
  known.find((one) => (one.kind === undefined || one.kind === kind) && one.where.test(where) && one.text.test(text))
    ?.why
