/**
 * Where the data of a peer comes from.
 *
 * @since 0.1.0
 */

/**
 * The version that was looked at, when, and how.
 *
 * **Details**
 *
 * `measured` peers are held to what the real thing answered, cell by cell, by a test; those `read in code` are as right
 * as the reading was.
 *
 * @category models
 * @since 0.1.0
 */
export interface Provenance {
  /** The name of the software, as it writes itself. */
  readonly software: string
  readonly version: string
  readonly how: "measured" | "read in code"
  /** The day, as `2026-11-27`. */
  readonly date: string
}
