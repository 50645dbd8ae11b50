/**
 * Faults on the way from the homeserver to the appservice, as data.
 *
 * A fault says what goes wrong; the testbed makes it happen, in memory and on real sockets alike. The names are those
 * that users of Toxiproxy and WireMock know.
 *
 * @since 0.1.0
 */
import { Duration, Schema, SchemaTransformation } from "effect"

/**
 * Schema for the place in the appservice's answer where it breaks off.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Place = Schema.Literals(["before-headers", "in-headers", "in-body"])

/**
 * The place in the appservice's answer where it breaks off.
 *
 * @category models
 * @since 0.1.0
 */
export type Place = typeof Place.Type

/**
 * Schema for how the answer says where its body ends; it decides how a client notices that the body is cut short.
 *
 * **Details**
 *
 * The third way of HTTP/1.1, a body that ends when the connection closes, is left out: nobody can tell such a body
 * that was cut short from one that was not, so it would be no fault.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Framing = Schema.Literals(["content-length", "chunked"])

/**
 * How the answer says where its body ends.
 *
 * @category models
 * @since 0.1.0
 */
export type Framing = typeof Framing.Type

/** The longest time that a timer of any runtime waits for, about 24 days; a longer one would strike at once. */
const delayMillisMax = 2 ** 31 - 1

const Delay = Schema.Finite.pipe(
  Schema.check(Schema.isBetween({ minimum: 0, maximum: delayMillisMax })),
  Schema.decodeTo(
    Schema.Duration.pipe(
      Schema.check(
        Schema.makeFilter(Duration.between({ minimum: Duration.zero, maximum: Duration.millis(delayMillisMax) }), {
          expected: `a duration of at most ${delayMillisMax} ms that is not negative`
        })
      )
    ),
    SchemaTransformation.transform({
      decode: (millis) => Duration.millis(millis),
      encode: (duration) => Duration.toMillis(duration)
    })
  )
)

const StatusCode = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 200, maximum: 599 })))

const headerName = /^(?!(?:connection|content-length|transfer-encoding)$)[\w!#$%&'*+.^`|~-]+$/i

const Headers = Schema.Record(
  Schema.String,
  Schema.String.pipe(
    Schema.check(Schema.isPattern(/^[\t\x20-\x7e]*$/, { expected: "printable ASCII, as the value of an HTTP header" }))
  )
).pipe(
  Schema.check(
    Schema.makeFilter((headers) => Object.keys(headers).every((name) => headerName.test(name)), {
      expected:
        "names of HTTP headers, without Connection, Content-Length and Transfer-Encoding, which the testbed writes"
    })
  )
)

const Body = Schema.String.pipe(
  Schema.check(Schema.makeFilter((text) => text.isWellFormed(), { expected: "text without lone surrogates" }))
)

/**
 * Schema for a fault.
 *
 * **Details**
 *
 * - `latency`: the request reaches the appservice only after `delay`.
 * - `status`: the answer is this status, with these headers and this body, and the appservice is not asked.
 * - `refused`: nothing listens on the appservice's port.
 * - `cut`: the connection ends too early, with an RST or a FIN.
 * - `stall`: the answer stops, and the connection stays open.
 * - `drip`: the whole answer, its head included, comes one byte at a time, `gap` before each.
 * - `malformed`: what answers does not speak HTTP.
 *
 * The constructors of this module check what they are given, and throw where it is not what the schema says.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fault = Schema.TaggedUnion({
  latency: { delay: Delay },
  status: { status: StatusCode, headers: Headers, body: Body },
  refused: {},
  cut: { how: Schema.Literals(["rst", "fin"]), at: Place, framing: Framing },
  stall: { at: Place, framing: Framing },
  drip: { gap: Delay, status: StatusCode, body: Body },
  malformed: {}
})

/**
 * A fault.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault = typeof Fault.Type

/**
 * Where an answer breaks off, and in the body: how the answer said where that ends. Default: `"content-length"`.
 *
 * @category options
 * @since 0.1.0
 */
export interface BreakOptions {
  readonly at: Place
  readonly framing?: Framing | undefined
}

/**
 * The request reaches the appservice only after a delay: `latency` of Toxiproxy, a fixed delay of WireMock.
 *
 * @category constructors
 * @since 0.1.0
 */
export const latency = (delay: Duration.Input): Fault =>
  Fault.cases.latency.make({ delay: Duration.fromInputUnsafe(delay) })

/**
 * Something answers in the appservice's place: a proxy's 503, a 429 with `Retry-After`, a redirect with `Location`.
 *
 * **Details**
 *
 * A body is left out where HTTP allows none: with 204 and 304.
 *
 * @category constructors
 * @since 0.1.0
 */
export const status = (
  status: number,
  options?: {
    readonly headers?: { readonly [name: string]: string } | undefined
    /** Default: empty. */
    readonly body?: string | undefined
  }
): Fault => Fault.cases.status.make({ status, headers: options?.headers ?? {}, body: options?.body ?? "" })

/**
 * Nothing listens on the appservice's port: a proxy of Toxiproxy that is down.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refused: Fault = Fault.cases.refused.make({})

/**
 * The connection is reset, and the peer sees an RST: `reset_peer` of Toxiproxy, `CONNECTION_RESET_BY_PEER` of WireMock.
 *
 * @category constructors
 * @since 0.1.0
 */
export const resetPeer = (options: BreakOptions): Fault =>
  Fault.cases.cut.make({ how: "rst", at: options.at, framing: options.framing ?? "content-length" })

/**
 * The connection is closed too early, and the peer sees a FIN: `limit_data` of Toxiproxy, `EMPTY_RESPONSE` of WireMock.
 *
 * @category constructors
 * @since 0.1.0
 */
export const close = (options: BreakOptions): Fault =>
  Fault.cases.cut.make({ how: "fin", at: options.at, framing: options.framing ?? "content-length" })

/**
 * The answer stops and the connection stays open until the homeserver gives up: `timeout` of Toxiproxy.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stall = (options: BreakOptions): Fault =>
  Fault.cases.stall.make({ at: options.at, framing: options.framing ?? "content-length" })

/**
 * The whole answer comes one byte at a time: the chunked dribble of WireMock.
 *
 * **Details**
 *
 * A timeout for idle connections does not notice; only a deadline does.
 *
 * @category constructors
 * @since 0.1.0
 */
export const drip = (options: {
  /** The time before each byte. */
  readonly gap: Duration.Input
  /** Default: 200. */
  readonly status?: number | undefined
  /** Default: `{}`. */
  readonly body?: string | undefined
}): Fault =>
  Fault.cases.drip.make({
    gap: Duration.fromInputUnsafe(options.gap),
    status: options.status ?? 200,
    body: options.body ?? "{}"
  })

/**
 * What answers does not speak HTTP: `RANDOM_DATA_THEN_CLOSE` of WireMock, only that it is the same each time.
 *
 * @category constructors
 * @since 0.1.0
 */
export const malformed: Fault = Fault.cases.malformed.make({})

const places: { readonly [P in Place]: string } = {
  "before-headers": "before the headers",
  "in-headers": "in the headers",
  "in-body": "in the body"
}

const place = (fault: { readonly at: Place; readonly framing: Framing }): string =>
  places[fault.at] + (fault.at === "in-body" && fault.framing === "chunked" ? ", chunked" : "")

/**
 * Names a fault in a few words, for a table or a test.
 *
 * **Example** (Naming a fault)
 *
 * ```ts
 * import { Fault } from "@appservice-ping/testbed"
 *
 * Fault.describe(Fault.resetPeer({ at: "in-body" })) // => "reset in the body"
 * ```
 *
 * @category rendering
 * @since 0.1.0
 */
export const describe = (fault: Fault): string => {
  switch (fault._tag) {
    case "latency":
      return `latency of ${Duration.format(fault.delay)}`
    case "status":
      return `status ${fault.status}`
    case "refused":
      return "connection refused"
    case "cut":
      return `${fault.how === "rst" ? "reset" : "closed"} ${place(fault)}`
    case "stall":
      return `stalled ${place(fault)}`
    case "drip":
      return `status ${fault.status} dripping, ${Duration.format(fault.gap)} a byte`
    case "malformed":
      return "not HTTP"
  }
}
