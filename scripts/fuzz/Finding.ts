/** What must never happen, whatever comes. */
export const findings = [
  "crash",
  "framing",
  "form",
  "secret",
  "server error",
  "unanswered",
  "hang",
  "disagreement",
  "unhealthy",
  "untyped",
  "too large",
  "over-read"
] as const

export type FindingKind = (typeof findings)[number]

export interface Finding {
  readonly kind: FindingKind
  /** The mount or the transport. */
  readonly where: string
  readonly text: string
}
