/**
 * Renders the events of a watch as lines: one for each change to a person, one for each ping to a machine.
 *
 * @since 0.1.0
 */
import type { Health } from "@appservice-ping/client/Health"
import type { Missed, Observed, WatchEvent } from "@appservice-ping/client/WatchStatus"
import { plain } from "@appservice-ping/domain/PlainText"
import { Duration } from "effect"
import * as WatchTime from "./WatchTime.ts"

/**
 * The words for the kinds of health.
 *
 * @category models
 * @since 0.1.0
 */
export const healths: { readonly [H in Health["_tag"]]: string } = {
  Unknown: "unknown",
  Healthy: "healthy",
  Failing: "failing",
  Recovered: "recovered"
}

const time = (at: number): string => new Date(at).toISOString()

const told = (health: Health): string => {
  switch (health._tag) {
    case "Unknown":
      return "nothing is known yet"
    case "Healthy":
      return `the homeserver reached the appservice in ${health.durationMs} ms`
    case "Recovered":
      return `after ${
        WatchTime.words(Duration.toMillis(health.after))
      }, the homeserver reached the appservice in ${health.durationMs} ms`
    case "Failing":
      return `${health.error.verdict}: ${health.diagnosis.cause} ${health.diagnosis.advice} Who must act: ${health.diagnosis.actor}.`
  }
}

const lost = ({ count }: Missed, now: number): string =>
  `${time(now)} ${count} events were lost, because the output was read too slowly`

/**
 * A line for a person: `undefined` where nothing has changed.
 *
 * @category rendering
 * @since 0.1.0
 */
export const text = (event: WatchEvent, now: number): string | undefined => {
  if (event._tag === "Missed") return lost(event, now)
  if (event.transition === undefined) return undefined
  return `${time(event.observation.at)} ${plain(event.key, 128)} ${healths[event.health._tag]}: ${
    plain(told(event.health), 1000)
  }`
}

const observed = ({ health, key, labels, observation, transition }: Observed) => {
  const failed = observation._tag === "Failure"
  return {
    event: "ping",
    time: time(observation.at),
    appservice: key,
    homeserver: labels.homeserver ?? null,
    health: healths[health._tag],
    changed: transition !== undefined,
    verdict: failed ? observation.error.verdict : "success",
    duration_ms: failed ? null : observation.durationMs,
    error: failed ? plain(observation.error.text) : null,
    cause: failed ? plain(observation.diagnosis.cause) : null,
    advice: failed ? plain(observation.diagnosis.advice) : null,
    actor: failed ? observation.diagnosis.actor : null,
    temporary: failed ? observation.diagnosis.temporary : null
  }
}

/**
 * A line of JSON for a machine: each ping, and how many events it missed.
 *
 * @category rendering
 * @since 0.1.0
 */
export const json = (event: WatchEvent, now: number): string =>
  JSON.stringify(
    event._tag === "Missed" ? { event: "missed", time: time(now), count: event.count } : observed(event)
  )
