/** Rules for a ping that the homeserver takes for answered, and something is wrong all the same. */
import { operator, rule } from "../Rule.ts"

/** The way is good, and the appservice is not there. */
export const standIn = rule(
  "stood-in",
  ["listener", "ping"],
  ({ listener, ping }, { url }) =>
    ping._tag === "Succeeded" && listener._tag === "StandIn" && !listener.asked
      ? operator(
        `The appservice is not running: nothing listened at ${url}. The way there is good: the homeserver reached the doctor in the appservice's place.`,
        "Start the appservice. To test the way without it, pass --listen.",
        true
      )
      : undefined
)
