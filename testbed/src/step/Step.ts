/**
 * One thing that the far end of a connection does: the small algebra that every fault is made of.
 *
 * A step is a value. An interpreter turns it into bytes, FIN and RST; it never learns the name of the fault that the step
 * came from.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Count } from "./Count.ts"
import { Delay } from "./Delay.ts"

/**
 * The certificate of a server that speaks TLS: a good one, or what is wrong with it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Certificate = Schema.Literals([
  "good",
  "self_signed",
  "untrusted",
  "expired",
  "not_yet_valid",
  "wrong_host"
])

/**
 * The certificate of a server that speaks TLS.
 *
 * @category models
 * @since 0.1.0
 */
export type Certificate = typeof Certificate.Type

const Bytes = Schema.Uint8ArrayFromBase64

const How = Schema.Literals(["fin", "rst"])

/**
 * One thing the server does on a connection.
 *
 * **Details**
 *
 * - `secure`: the TLS handshake with this certificate (`version: "1.1"`, `client_certificate: true` make it fail).
 * - `read`: waits for a whole request, the next one on the connection, or for so many `bytes` of it.
 * - `forward`: hands the request that was read to the application and keeps its answer. Side effects happen here.
 * - `write`: sends bytes.
 * - `relay`: sends the kept answer, from byte `from` up to byte `to` (negative: from its end), in pieces of `size`
 *   bytes, `gap` apart. `body` counts `from` and `to` from the start of the body.
 * - `wait`, `hang` (for ever, until the peer goes), `close`.
 *
 * A program that ends without `close` or `hang` leaves the connection open for the next request if the answer allows
 * that, and else closes it as the application would.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Step = Schema.Union([
  Schema.Struct({
    step: Schema.tag("secure"),
    certificate: Certificate,
    version: Schema.optionalKey(Schema.Literals(["1.1"])),
    client_certificate: Schema.optionalKey(Schema.Boolean)
  }),
  Schema.Struct({ step: Schema.tag("read"), bytes: Schema.optionalKey(Count) }),
  Schema.Struct({ step: Schema.tag("forward") }),
  Schema.Struct({ step: Schema.tag("write"), bytes: Bytes }),
  Schema.Struct({
    step: Schema.tag("relay"),
    body: Schema.optionalKey(Schema.Boolean),
    from: Schema.optionalKey(Schema.Int),
    to: Schema.optionalKey(Schema.Int),
    size: Schema.optionalKey(Count.pipe(Schema.check(Schema.isGreaterThan(0)))),
    gap: Schema.optionalKey(Delay)
  }),
  Schema.Struct({ step: Schema.tag("wait"), duration: Delay }),
  Schema.Struct({ step: Schema.tag("hang") }),
  Schema.Struct({ step: Schema.tag("close"), how: How })
]).annotate({ identifier: "Step", description: "One thing the server does on a connection." })

/**
 * One thing the server does on a connection.
 *
 * @category models
 * @since 0.1.0
 */
export type Step = typeof Step.Type
