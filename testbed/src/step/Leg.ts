/**
 * The two halves of a ping, each one HTTP exchange.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * Who is asked: `to_homeserver` is the client's request (the C rules), `to_appservice` the homeserver's (the A rules).
 *
 * @category schemas
 * @since 0.1.0
 */
export const Leg = Schema.Literals(["to_homeserver", "to_appservice"]).annotate({
  identifier: "Leg",
  description: "Who is asked: the homeserver by a client, or the appservice by the homeserver."
})

/**
 * Who is asked: the homeserver or the appservice.
 *
 * @category models
 * @since 0.1.0
 */
export type Leg = typeof Leg.Type
