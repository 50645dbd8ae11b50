/**
 * Reading the body of a message within a bound.
 *
 * @since 0.1.0
 */
import { Bytes, Effect, Predicate, Schema, Stream } from "effect"
import * as Bound from "./Bound.ts"

/**
 * Collects the chunks of a body, and keeps no more than the bound.
 *
 * **When to use**
 *
 * Where a body arrives by callbacks, as with `node:http`. For a stream, use {@link read} or {@link readWhole}.
 *
 * **Details**
 *
 * A `maxBytes` that is no whole number of at least 0 is a defect: a `BoundError`.
 *
 * **Example** (Collecting chunks as they arrive)
 *
 * ```ts
 * import * as BoundedBody from "@appservice-ping/domain/BoundedBody"
 *
 * const collected = new BoundedBody.Collector(3)
 * const states = [collected.add(Uint8Array.of(1, 2)), collected.add(Uint8Array.of(3, 4))]
 *
 * states // => ["room", "over"]
 * Array.from(collected.bytes()) // => [1, 2, 3]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export class Collector {
  readonly #maxBytes: number
  readonly #chunks: Array<Uint8Array> = []
  #length = 0

  constructor(maxBytes: number) {
    this.#maxBytes = Bound.integerUnsafe("maxBytes", maxBytes)
  }

  /** Adds a chunk, and returns whether there is room for more, the bound is reached exactly, or the body is over it. */
  add(chunk: Uint8Array): "room" | "full" | "over" {
    const room = this.#maxBytes - this.#length
    if (chunk.length > 0 && room > 0) {
      this.#chunks.push(chunk.subarray(0, room))
      this.#length += Math.min(chunk.length, room)
    }
    return chunk.length > room ? "over" : chunk.length === room ? "full" : "room"
  }

  /** How many bytes were kept. */
  get length(): number {
    return this.#length
  }

  /** The bytes that were kept. */
  bytes(): Uint8Array {
    return Bytes.concat(this.#chunks)
  }
}

/**
 * A body that is larger than it may be.
 *
 * @category errors
 * @since 0.1.0
 */
export class BodyTooLarge extends Schema.TaggedError<BodyTooLarge>("@appservice-ping/domain/BoundedBody/BodyTooLarge")(
  "BodyTooLarge",
  { maxBytes: Schema.Int }
) {
  override get message(): string {
    return `the body has more than ${this.maxBytes} bytes`
  }
}

/**
 * Reads at most `maxBytes` of a body (D4).
 *
 * **Details**
 *
 * What is beyond the bound is never asked for, and the stream is let go of. Fails as the stream does. A `maxBytes` that
 * is no whole number of at least 0 is a defect: a `BoundError`.
 *
 * **Example** (Reading the start of an answer)
 *
 * ```ts
 * import * as BoundedBody from "@appservice-ping/domain/BoundedBody"
 * import { Effect, Stream } from "effect"
 *
 * const body = Stream.make(Uint8Array.of(1, 2), Uint8Array.of(3, 4))
 *
 * const read = await Effect.runPromise(BoundedBody.read(body, 3))
 *
 * Array.from(read) // => [1, 2, 3]
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const read = <E, R>(
  body: Stream.Stream<Uint8Array, E, R>,
  maxBytes: number
): Effect.Effect<Uint8Array, E, R> =>
  Effect.suspend(() => {
    const collected = new Collector(maxBytes)
    if (maxBytes === 0) return Effect.succeed(collected.bytes())
    return Effect.map(
      Stream.runForEachWhile(body, (chunk) => Effect.sync(() => collected.add(chunk) === "room")),
      () => collected.bytes()
    )
  })

/**
 * Reads a whole body, or fails with `BodyTooLarge` as soon as it has more than `maxBytes`.
 *
 * **Details**
 *
 * A `maxBytes` that is no whole number of at least 0 is a defect: a `BoundError`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const readWhole = <E, R>(
  body: Stream.Stream<Uint8Array, E, R>,
  maxBytes: number
): Effect.Effect<Uint8Array, E | BodyTooLarge, R> =>
  Effect.suspend(() => {
    const collected = new Collector(maxBytes)
    return Effect.map(
      Stream.runForEach(
        body,
        (chunk) => collected.add(chunk) === "over" ? Effect.fail(new BodyTooLarge({ maxBytes })) : Effect.void
      ),
      () => collected.bytes()
    )
  })

const isEmptyBody = (error: unknown): boolean =>
  Predicate.hasProperty(error, "reason") && Predicate.hasProperty(error.reason, "_tag") &&
  error.reason._tag === "EmptyBodyError"

/**
 * An answer with too many bytes beside its body: the sizes and extensions of chunks, and trailers.
 *
 * @category errors
 * @since 0.1.0
 */
export class TooMuchFraming
  extends Schema.TaggedError<TooMuchFraming>("@appservice-ping/domain/BoundedBody/TooMuchFraming")(
    "TooMuchFraming",
    { maxFramingBytes: Schema.Int }
  )
{
  /** The code that `ConnectionFailure.fromUnknown` knows it by. */
  get code(): string {
    return "ERR_ANSWER_TOO_LARGE"
  }

  override get message(): string {
    return `the answer has more than ${this.maxFramingBytes} bytes beside its body`
  }
}

/** How many bytes a connection has received, where the client shows it, as those on `node:http` do. */
const receivedOf = (response: object): () => number => {
  // A response that can be interrupted has the client's own within.
  const own = Predicate.hasProperty(response, "original") ? response.original : response
  const source = Predicate.hasProperty(own, "source") ? own.source : undefined
  const socket = Predicate.hasProperty(source, "socket") ? source.socket : undefined
  return () => Predicate.hasProperty(socket, "bytesRead") && typeof socket.bytesRead === "number" ? socket.bytesRead : 0
}

/**
 * The bounds of reading an answer.
 *
 * @category options
 * @since 0.1.0
 */
export interface AnswerBounds {
  /** How much of the body is read, in bytes. */
  readonly maxBytes: number
  /**
   * How many bytes may come beside the body while it is read: the sizes and extensions of chunks. Only clients on
   * `node:http` show how many bytes come; with others, such as `fetch`, only a deadline bounds them. Default: 512 KiB.
   */
  readonly maxFramingBytes?: number | undefined
}

const maxFramingBytesDefault = 512 * 1024

/**
 * Reads at most `maxBytes` of the answer that an `HttpClient` got (D4).
 *
 * **Details**
 *
 * An answer without a body, such as a 204 or a browser's opaque redirect, is an answer all the same (D2, C10): it reads
 * as no bytes, although its stream fails with `EmptyBodyError`. Fails with `TooMuchFraming` where hardly a byte of what
 * comes is a body. A bound that is no whole number of at least 0 is a defect: a `BoundError`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const readAnswer = <E, R>(
  response: { readonly stream: Stream.Stream<Uint8Array, E, R> },
  { maxBytes, maxFramingBytes: framing = maxFramingBytesDefault }: AnswerBounds
): Effect.Effect<Uint8Array, E | TooMuchFraming, R> =>
  Effect.suspend(() => {
    const maxFramingBytes = Bound.integerUnsafe("maxFramingBytes", framing)
    const received = receivedOf(response)
    const before = received()
    let length = 0
    const counted = Stream.mapEffect(response.stream, (chunk) => {
      length += chunk.length
      return received() - before - length > maxFramingBytes
        ? Effect.fail(new TooMuchFraming({ maxFramingBytes }))
        : Effect.succeed(chunk)
    })
    return Effect.catchIf(read(counted, maxBytes), isEmptyBody, () => Effect.succeed(new Uint8Array()))
  })
