/**
 * The names that other tools, and people, use for the names of a plan.
 *
 * @since 0.1.0
 */
import * as Fault from "../fault/Fault.ts"

/**
 * Words, and the names that each of them probably means; a name counts only where it is known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Synonyms {
  readonly [word: string]: ReadonlyArray<string>
}

/**
 * One dictionary after the other: a word means what it means in each of them.
 *
 * @category combinators
 * @since 0.1.0
 */
export const merge = (first: Synonyms, second: Synonyms): Synonyms => ({
  ...first,
  ...second,
  ...Object.fromEntries(
    Object.entries(second).map(([word, names]) => [word, [...new Set([...first[word] ?? [], ...names])]])
  )
})

/**
 * The words for everything in a plan: faults by Toxiproxy, WireMock, MockServer, Envoy and netem, and rules by the words
 * of every day.
 *
 * @category constants
 * @since 0.1.0
 */
export const synonyms: Synonyms = merge(Fault.synonyms, {
  // Fields of a rule.
  quota: ["beyond"],
  toxicity: ["when", "probability"],
  percentage: ["probability", "when"],
  chance: ["probability"],
  stream: ["leg"],
  direction: ["leg"],
  toxic: ["fault"],
  times: ["first", "budget", "times"],
  steps: ["sequence"],
  txn_id: ["transaction_id"],
  url: ["path"],
  // Legs.
  client: ["to_homeserver"],
  downstream: ["to_homeserver"],
  homeserver: ["to_homeserver"],
  upstream: ["to_appservice"],
  appservice: ["to_appservice"],
  // Units of time.
  ms: ["millis"],
  msec: ["millis"],
  s: ["seconds"],
  sec: ["seconds"],
  secs: ["seconds"],
  m: ["minutes"],
  min: ["minutes"],
  mins: ["minutes"],
  h: ["hours"],
  hr: ["hours"],
  hrs: ["hours"]
})
