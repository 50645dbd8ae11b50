/**
 * Every fault of the taxonomy, on each leg where it makes sense: what a suite has to go through.
 *
 * @since 0.1.0
 */
import { Duration } from "effect"
import type { Leg } from "../step/Leg.ts"
import { examples, type Fault } from "./Fault.ts"

/**
 * A fault, and the leg on which it strikes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Single {
  readonly leg: Leg
  readonly fault: Fault
}

/**
 * The deadlines to choose times for: each time is clearly within the one of its leg, or clearly beyond it.
 *
 * @category options
 * @since 0.1.0
 */
export interface CatalogueOptions {
  /** The deadline of the homeserver's request (D3). */
  readonly pingTimeout: Duration.Input
  /** The deadline of the client's request; that of the homeserver where nothing is said. */
  readonly clientTimeout?: Duration.Input | undefined
}

/**
 * Lists the examples of every kind of fault: every one of its defects, phases, framings and endings, each with reasonable
 * numbers.
 *
 * **Details**
 *
 * Those that `Fault.needsTls` accepts say nothing without TLS. `Fault.describe` names each of a leg differently.
 *
 * **Example** (All faults of the homeserver's request)
 *
 * ```ts
 * import * as Catalogue from "@appservice-ping/testbed/fault/Catalogue"
 *
 * const faults = Catalogue.singles({ pingTimeout: "1 second" })
 *   .filter(({ leg }) => leg === "to_appservice")
 *   .map(({ fault }) => fault)
 * ```
 *
 * @category constants
 * @since 0.1.0
 */
export const singles = (options: CatalogueOptions): ReadonlyArray<Single> => {
  const of = (leg: Leg, deadline: Duration.Duration): ReadonlyArray<Single> => {
    const faults = examples({
      leg,
      within: Duration.times(deadline, 0.1),
      beyond: Duration.times(deadline, 2),
      shortGap: Duration.times(deadline, 0.001),
      longGap: Duration.times(deadline, 0.05)
    })
    return faults.map((fault) => ({ leg, fault }))
  }
  const pingTimeout = Duration.fromInputUnsafe(options.pingTimeout)
  const clientTimeout = options.clientTimeout === undefined
    ? pingTimeout
    : Duration.fromInputUnsafe(options.clientTimeout)
  return [...of("to_homeserver", clientTimeout), ...of("to_appservice", pingTimeout)]
}
