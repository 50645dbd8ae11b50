/**
 * Where in an exchange a connection breaks off or goes quiet.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * Schema for a phase of an exchange, in the order of time.
 *
 * **Details**
 *
 * `handshake` is inside the TLS handshake, `request` while the request is still coming, `after_answer` after a whole
 * answer that promised to keep the connection, `next_request` when another request comes on that connection.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Phase = Schema.Literals([
  "accept",
  "handshake",
  "request",
  "before_headers",
  "in_headers",
  "in_body",
  "after_answer",
  "next_request"
])

/**
 * A phase of an exchange.
 *
 * @category models
 * @since 0.1.0
 */
export type Phase = typeof Phase.Type

/**
 * Schema for how a broken body says how long it is. With `until_close` its end is the end of the connection, so that no
 * client can distinguish a FIN in the middle from the end.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Framing = Schema.Literals(["content_length", "chunked", "until_close"])

/**
 * How a body says where it ends.
 *
 * @category models
 * @since 0.1.0
 */
export type Framing = typeof Framing.Type

/**
 * Options for `Fault.resetPeer`, `Fault.close` and `Fault.stall`.
 *
 * @category options
 * @since 0.1.0
 */
export interface BreakOptions {
  readonly phase: Phase
  /** How a body that breaks off says how long it is. Default: `content_length`. */
  readonly framing?: Framing | undefined
}
