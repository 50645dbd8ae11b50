/**
 * Whether an app is ready, as far as its appservices' connections are concerned: the answer to a readiness probe.
 *
 * @since 0.1.0
 */
import type { Health } from "./Health.ts"
import { isUp } from "./Health.ts"

/**
 * How many of the watched appservices the homeserver has to reach.
 *
 * **Details**
 *
 * One whose health is unknown counts as not reached. `"all"` and `"any"` are not met while nothing is watched.
 *
 * @category models
 * @since 0.1.0
 */
export type ReadinessPolicy = "all" | "any" | { readonly atLeast: number }

/**
 * Whether the app is ready, and where it is not, why.
 *
 * **Details**
 *
 * `reasons` names at most ten appservices, and is empty where the app is ready.
 *
 * **Example** (Answering a readiness probe)
 *
 * ```ts
 * import { Watch } from "@appservice-ping/client"
 * import { Effect } from "effect"
 * import { HttpRouter, HttpServerResponse } from "effect/http"
 *
 * const route = HttpRouter.add(
 *   "GET",
 *   "/ready",
 *   Effect.gen(function*() {
 *     const watch = yield* Watch.Watch
 *     const { ready, reasons } = yield* watch.ready
 *     return HttpServerResponse.text(reasons.join("\n"), { status: ready ? 200 : 503 })
 *   })
 * )
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Readiness {
  readonly ready: boolean
  readonly reasons: ReadonlyArray<string>
}

/**
 * Returns how many appservices have to be reached.
 *
 * @category getters
 * @since 0.1.0
 */
export const required = (policy: ReadinessPolicy, watched: number): number =>
  policy === "all" ? Math.max(1, watched) : policy === "any" ? 1 : policy.atLeast

const reasonsMax = 10

/**
 * Decides from the health of every watched appservice; pure and total.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decide = (
  policy: ReadinessPolicy,
  watched: Iterable<{ readonly key: string; readonly health: Health }>
): Readiness => {
  const all = [...watched]
  const down = all.filter(({ health }) => !isUp(health))
  if (all.length - down.length >= required(policy, all.length)) return { ready: true, reasons: [] }
  if (all.length === 0) return { ready: false, reasons: ["No appservice is watched."] }
  const reasons = down.slice(0, reasonsMax).map(({ health, key }) => `${JSON.stringify(key)}: ${why(health)}`)
  if (down.length > reasonsMax) reasons.push(`and ${down.length - reasonsMax} more`)
  return {
    ready: false,
    reasons: down.length === 0
      ? [`Only ${all.length} of ${required(policy, all.length)} appservices are watched.`]
      : reasons
  }
}

const why = (health: Health): string =>
  health._tag === "Failing" ? health.diagnosis.cause : "No ping has succeeded yet."
