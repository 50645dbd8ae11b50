/** A request of a homeserver to an appservice. */
export interface PeerRequest {
  readonly method: "POST" | "GET"
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Empty for a request without a body. */
  readonly body: string
}
