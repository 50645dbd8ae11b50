/**
 * The decision of a plan for a connection or a request.
 *
 * @since 0.1.0
 */
import { Data, type Duration } from "effect"
import type { Step } from "./Step.ts"

/**
 * What a plan decides.
 *
 * **Details**
 *
 * For a connection: `Pass` (accept it, and decide again for each request), `Resolve` (the name cannot be looked up),
 * `Refuse`, `Ignore` (never accepted, so that connecting times out) or `Play` (the whole connection follows the steps).
 * For a request: `Pass`, `Play` (the request was read already) or `Crash` (every connection is reset, and new ones are
 * refused for `down_for`).
 *
 * @category models
 * @since 0.1.0
 */
export type Action = Data.TaggedEnum<{
  Pass: {}
  Resolve: { readonly failure: "not_found" | "try_again" | "hang" }
  Refuse: {}
  Ignore: {}
  Play: { readonly steps: ReadonlyArray<Step> }
  Crash: { readonly down_for: Duration.Duration }
}>

/**
 * Makes actions: `Action.Pass()`, `Action.Play({ steps })` and so on.
 *
 * @category constructors
 * @since 0.1.0
 */
export const Action = Data.taggedEnum<Action>()
