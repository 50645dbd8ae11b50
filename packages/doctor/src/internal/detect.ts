/** Asks the homeserver what it is and whether it knows the ping. */
import * as Detection from "@appservice-ping/client/Detection"
import { type Duration, Effect } from "effect"
import type { HttpClient } from "effect/http"
import type { VersionsEvidence } from "../Evidence.ts"

/** Finds the path of the ping, or why there is none. */
export const detect = (
  homeserver: URL,
  timeout: Duration.Input
): Effect.Effect<VersionsEvidence, never, HttpClient.HttpClient> =>
  Effect.match(Effect.flatMap(Detection.make({ homeserver, timeout }), ({ detect }) => detect), {
    onFailure: (error): VersionsEvidence => ({ _tag: "Failed", error }),
    onSuccess: ({ path, server }): VersionsEvidence => ({
      _tag: "Supported",
      path,
      server
    })
  })
