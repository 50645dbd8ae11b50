/**
 * Asks the control API of a running testbed, derived from its contract.
 *
 * @since 0.1.0
 */
import type { Effect } from "effect"
import type { HttpClient } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { ControlApi } from "./ControlApi.ts"

/**
 * A client of the control API.
 *
 * @category models
 * @since 0.1.0
 */
export type ControlClient = HttpApiClient.ForApi<typeof ControlApi>

/**
 * Makes a client for the control API at a URL.
 *
 * **Example** (Breaking a testbed that runs elsewhere, for a minute at most)
 *
 * ```ts
 * import * as ControlClient from "@appservice-ping/testbed/control/ControlClient"
 * import * as Fault from "@appservice-ping/testbed/fault/Fault"
 * import * as Plan from "@appservice-ping/testbed/plan/Plan"
 * import { Duration, Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const control = yield* ControlClient.make("http://127.0.0.1:8474")
 *   yield* control.putPlan({
 *     query: { ttl: Duration.minutes(1) },
 *     payload: Plan.of("to_appservice", Fault.status(503))
 *   })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (baseUrl: string | URL): Effect.Effect<ControlClient, never, HttpClient.HttpClient> =>
  HttpApiClient.make(ControlApi, { baseUrl })
