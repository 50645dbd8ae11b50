/**
 * The state and the events of a watch.
 *
 * @since 0.1.0
 */
import type { Duration } from "effect"
import type { Health, Observation, Transition } from "./Health.ts"

/**
 * The labels that group appservices in events and metrics.
 *
 * @category models
 * @since 0.1.0
 */
export interface Labels {
  /** The homeserver's name; its URL would carry more than a label should. */
  readonly homeserver?: string | undefined
}

/**
 * The part of a ping's error that a watch needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface PingFailure {
  /** The verdict, in events and metrics: the errcode, or the name of another error. */
  readonly _tag: string
  readonly message: string
  /** How long the peer asks to wait before the next ping (C18). */
  readonly retryAfter?: Duration.Duration | undefined
}

/**
 * One watched appservice.
 *
 * @category models
 * @since 0.1.0
 */
export interface Watched {
  readonly key: string
  readonly labels: Labels
  readonly health: Health
}

/**
 * One watched appservice, as it is now.
 *
 * @category models
 * @since 0.1.0
 */
export interface Status extends Watched {
  /** The result of the newest ping. */
  readonly last: Observation | undefined
  /** Whether a ping is under way. */
  readonly isRunning: boolean
  /** Whether it is paused, alone or with the whole watch. */
  readonly isPaused: boolean
  /** How long until the next ping is due; nothing where none is planned, and zero where it is late. */
  readonly nextIn: Duration.Duration | undefined
}

/**
 * How much the watch has to do, and whether it keeps up.
 *
 * @category models
 * @since 0.1.0
 */
export interface Load {
  /** How many appservices are watched. */
  readonly watched: number
  /** The same by health. */
  readonly byHealth: Readonly<Record<Health["_tag"], number>>
  /** How many pings are under way. */
  readonly running: number
  /** How many pings are due, but wait for others to end. */
  readonly backlog: number
  /** How long the first of them has been waiting. */
  readonly late: Duration.Duration
  /** How many pings have been left out so far, because the one before them had not ended. */
  readonly skipped: number
}

/**
 * A ping has ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Observed {
  readonly _tag: "Observed"
  readonly key: string
  readonly labels: Labels
  readonly observation: Observation
  /** The health with this observation. */
  readonly health: Health
  /** The change of health, if there was one. */
  readonly transition: Transition | undefined
}

/**
 * The reader was too slow: this many events are lost to it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Missed {
  readonly _tag: "Missed"
  readonly count: number
}

/**
 * An event of a watch.
 *
 * @category models
 * @since 0.1.0
 */
export type WatchEvent = Observed | Missed

/**
 * A listener that misses no event of a watch, for metrics.
 *
 * **Gotchas**
 *
 * The watch calls it in the middle of its own work. It must be quick and must not throw; everything else follows the
 * stream of events.
 *
 * @category models
 * @since 0.1.0
 */
export interface Listener {
  /** Also called for each appservice that is watched already. `watched.health` stays up to date. */
  readonly added: (watched: Watched) => void
  readonly observed: (watched: Watched, event: Observed) => void
  readonly removed: (watched: Watched) => void
}
