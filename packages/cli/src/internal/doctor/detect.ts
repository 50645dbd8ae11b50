/** Asks the homeserver what it is and whether it knows the ping. */
import * as Detection from "@appservice-ping/client/Detection"
import { describeServer } from "@appservice-ping/domain/PingUnsupported"
import { type Duration, Effect } from "effect"
import type { HttpClient } from "effect/http"
import type { VersionsFinding } from "../../doctor/Finding.ts"

/** Finds the path of the ping, or why there is none. */
export const detect = (
  homeserver: URL,
  timeout: Duration.Input
): Effect.Effect<VersionsFinding, never, HttpClient.HttpClient> =>
  Effect.match(Effect.flatMap(Detection.make({ homeserver, timeout }), ({ detect }) => detect), {
    onFailure: (error): VersionsFinding => ({ _tag: "Failed", error }),
    onSuccess: ({ path, server }): VersionsFinding => ({
      _tag: "Supported",
      path,
      server: server === undefined ? undefined : describeServer(server)
    })
  })
