/**
 * What happened, in order: enough to explain every answer. Both interpreters write the same entries.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { Leg } from "../step/Leg.ts"
import { Certificate } from "../step/Step.ts"

const where = { leg: Leg, connection: Schema.Int }
const exchange = { ...where, exchange: Schema.Int }

/**
 * The content of one entry.
 *
 * **Details**
 *
 * | event | what happened |
 * | --- | --- |
 * | `connecting` | someone wants to connect |
 * | `decided` | a rule struck: its id, the fault, the seed and the draw |
 * | `suppressed` | a rule matched and did not strike, and why |
 * | `not_resolved`, `refused`, `ignored` | the connection did not come about |
 * | `connected`, `secured` | it did; the TLS handshake was begun with this certificate |
 * | `request` | a whole request was read |
 * | `asked`, `answered` | the application got it, and answered |
 * | `sent` | bytes went out |
 * | `waited`, `hung` | time passed on purpose |
 * | `closed` | the connection ended, by whom and how |
 * | `applied` | the fault of a rule was played to its end, or as far as the peer let it |
 * | `outcome` | what the client made of it: the tag of its error, or `Success` |
 *
 * @category schemas
 * @since 0.1.0
 */
export const Happening = Schema.Union([
  Schema.Struct({ event: Schema.tag("connecting"), ...where }),
  Schema.Struct({
    event: Schema.tag("decided"),
    ...where,
    exchange: Schema.optionalKey(Schema.Int),
    rule: Schema.String,
    fault: Schema.String,
    action: Schema.String,
    seed: Schema.Int,
    draw: Schema.optionalKey(Schema.Finite)
  }),
  Schema.Struct({
    event: Schema.tag("suppressed"),
    ...where,
    exchange: Schema.optionalKey(Schema.Int),
    rule: Schema.String,
    reason: Schema.String,
    draw: Schema.optionalKey(Schema.Finite)
  }),
  Schema.Struct({ event: Schema.tag("not_resolved"), ...where, failure: Schema.String }),
  Schema.Struct({ event: Schema.tag("refused"), ...where }),
  Schema.Struct({ event: Schema.tag("ignored"), ...where }),
  Schema.Struct({ event: Schema.tag("connected"), ...where }),
  Schema.Struct({ event: Schema.tag("secured"), ...where, certificate: Certificate }),
  Schema.Struct({
    event: Schema.tag("request"),
    ...exchange,
    method: Schema.String,
    path: Schema.String,
    attempt: Schema.Int,
    transaction_id: Schema.optionalKey(Schema.String)
  }),
  Schema.Struct({ event: Schema.tag("asked"), ...exchange }),
  Schema.Struct({ event: Schema.tag("answered"), ...exchange, status: Schema.Int }),
  Schema.Struct({ event: Schema.tag("sent"), ...where, exchange: Schema.optionalKey(Schema.Int), bytes: Schema.Int }),
  Schema.Struct({ event: Schema.tag("waited"), ...where, millis: Schema.Finite }),
  Schema.Struct({ event: Schema.tag("hung"), ...where }),
  Schema.Struct({
    event: Schema.tag("closed"),
    ...where,
    by: Schema.Literals(["server", "client"]),
    how: Schema.Literals(["fin", "rst", "gone"])
  }),
  Schema.Struct({
    event: Schema.tag("applied"),
    ...where,
    exchange: Schema.optionalKey(Schema.Int),
    rule: Schema.String
  }),
  Schema.Struct({
    event: Schema.tag("outcome"),
    ping: Schema.Int,
    tag: Schema.String,
    status: Schema.optionalKey(Schema.Int)
  })
]).pipe(Schema.toTaggedUnion("event"))

/**
 * One thing that happened.
 *
 * @category models
 * @since 0.1.0
 */
export type Happening = typeof Happening.Type

/**
 * An entry: its number, from 1, the milliseconds since the plan began (virtual or monotonic), and what happened.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Entry = Schema.Struct({ n: Schema.Int, time: Schema.Finite, what: Happening })

/**
 * An entry of the journal.
 *
 * @category models
 * @since 0.1.0
 */
export type Entry = typeof Entry.Type

const encode = Schema.encodeSync(Schema.fromJsonString(Entry))

/**
 * The journal as text, one JSON object a line. The same run twice gives the same bytes.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toText = (entries: ReadonlyArray<Entry>): string => entries.map((entry) => `${encode(entry)}\n`).join("")
