import { Gate, Ping, type VerifiedPing } from "@appservice-ping/client"
import type { Registration } from "@appservice-ping/domain"
import { Effect } from "effect"

// Needs an HttpClient, such as `FetchHttpClient.layer`.
export const check = (homeserver: URL, registration: Registration.Registration) =>
  Ping.ping({ homeserver, registration }).pipe(
    Effect.map(({ duration_ms }) => `reached in ${duration_ms} ms`),
    Effect.catchTags({
      M_CONNECTION_FAILED: ({ error }) => Effect.succeed(`the homeserver cannot reach us: ${error}`),
      M_BAD_STATUS: ({ status }) => Effect.succeed(`something else answers at our url, with status ${status}`)
    })
  )

// Waits when a bridge starts, once it listens, and goes on in any case. Call `received` from the listener's `onPing`.
export const start = (
  homeserver: URL,
  registration: Registration.Registration,
  verified: VerifiedPing.VerifiedPing["Service"]
) =>
  Gate.wait({ ping: verified.ping({ homeserver, registration }), deadline: "5 minutes" }).pipe(
    Effect.map(({ duration_ms }) => `connected in ${duration_ms} ms`),
    Effect.catchTag("GaveUpError", ({ diagnosis }) => Effect.succeed(`${diagnosis.cause} ${diagnosis.advice}`))
  )
