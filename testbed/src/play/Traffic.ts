/**
 * Counts what takes turns of the event loop on connections in this process, so that virtual time does not overtake it:
 * during a TLS handshake no fiber has anything to do.
 *
 * @since 0.1.0
 */

let moved = 0

/**
 * Notes that something moved: bytes, or the beginning or the end of a connection.
 *
 * @category combinators
 * @since 0.1.0
 */
export const note = (): void => {
  moved++
}

/**
 * How much moved so far in this process.
 *
 * @category getters
 * @since 0.1.0
 */
export const count = (): number => moved
