/**
 * The two halves of a ping, each one HTTP exchange.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * The direction of a request: `to_homeserver` is the client's (the C rules), `to_appservice` the homeserver's (the A rules).
 *
 * @category schemas
 * @since 0.1.0
 */
export const Leg = Schema.Literals(["to_homeserver", "to_appservice"]).annotate({
  identifier: "Leg",
  description: "The direction of a request: from a client to the homeserver, or from the homeserver to the appservice."
})

/**
 * The direction of a request: to the homeserver or to the appservice.
 *
 * @category models
 * @since 0.1.0
 */
export type Leg = typeof Leg.Type
