/** What every server of a run serves, so that the same bytes can be sent to each of them. */
export interface Fixture {
  readonly id: string
  readonly asToken: string
  readonly hsToken: string
  /** Where the homeservers' calls go: one plain appservice for all of them. */
  readonly appserviceUrl: string
}

export const fixture = (appservicePort: number): Fixture => ({
  id: "bench",
  asToken: "as_token_of_the_benchmark_0123456789abcdef",
  hsToken: "hs_token_of_the_benchmark_0123456789abcdef",
  appserviceUrl: `http://127.0.0.1:${appservicePort}/_matrix/app/v1/ping`
})

const body = JSON.stringify({ transaction_id: "bench_1683636478256400935_123" })

const post = (path: string, token: string): Buffer =>
  Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`
      + `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )

/** The request that each side is measured with. */
export const requests = (value: Fixture): { readonly homeserver: Buffer; readonly appservice: Buffer } => ({
  homeserver: post(`/_matrix/client/v1/appservice/${value.id}/ping`, value.asToken),
  appservice: post("/_matrix/app/v1/ping", value.hsToken)
})
