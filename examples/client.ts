import { Ping } from "@appservice-ping/client"
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
