/**
 * Bounds that a caller sets: how long, how many, how much.
 *
 * A number that cannot bound anything is a mistake in a program, so it is refused where it is given, and never means
 * that there is no bound.
 *
 * @since 0.1.0
 */
import { Duration, Result, Schema } from "effect"

/**
 * A bound that cannot bound anything, such as `maxBodyBytes: NaN`.
 *
 * **Details**
 *
 * It names the option, what the option may be, and what was given. Options come from a program, not from its users, so
 * the functions that take them do not declare this error: they fail with it as a defect before they do anything else.
 * An app that takes bounds from its users checks them first, with {@link integer}, {@link number} or {@link duration}.
 *
 * @category errors
 * @since 0.1.0
 */
export class BoundError extends Schema.TaggedError<BoundError>("@appservice-ping/domain/Bound/BoundError")(
  "BoundError",
  { option: Schema.String, expected: Schema.String, given: Schema.String }
) {
  override get message(): string {
    return `${this.option}: expected ${this.expected}, but it is ${this.given}`
  }
}

/**
 * The range of a bound, both ends included.
 *
 * @category models
 * @since 0.1.0
 */
export interface Range {
  /** Default: 0. */
  readonly minimum?: number | undefined
  /** Default: the largest number of the kind. */
  readonly maximum?: number | undefined
}

/**
 * The range of a duration, both ends included.
 *
 * @category models
 * @since 0.1.0
 */
export interface DurationRange {
  /** Default: nothing, so that a duration of 0 is one. */
  readonly minimum?: Duration.Input | undefined
  /** Whether `"Infinity"` is one, which the option then documents as "for ever". Default: `false`. */
  readonly infinite?: boolean | undefined
}

const rangeText = (kind: string, minimum: number, maximum: number, largest: number): string =>
  maximum === largest ? `${kind} of at least ${minimum}` : `${kind} from ${minimum} to ${maximum}`

const within = (
  option: string,
  value: number,
  { isOfKind, kind, largest, range }: {
    readonly kind: string
    readonly largest: number
    readonly isOfKind: (value: number) => boolean
    readonly range: Range
  }
): Result.Result<number, BoundError> => {
  const { maximum = largest, minimum = 0 } = range
  return isOfKind(value) && value >= minimum && value <= maximum
    ? Result.succeed(value)
    : Result.fail(
      new BoundError({ option, expected: rangeText(kind, minimum, maximum, largest), given: String(value) })
    )
}

/**
 * Checks a count or a size, such as `maxBodyBytes`: a whole number within a range.
 *
 * @category checks
 * @since 0.1.0
 */
export const integer = (option: string, value: number, range: Range = {}): Result.Result<number, BoundError> =>
  within(option, value, {
    kind: "a whole number",
    largest: Number.MAX_SAFE_INTEGER,
    isOfKind: Number.isSafeInteger,
    range
  })

/**
 * Checks a number that need not be whole, such as a factor or a share: finite, and within a range.
 *
 * @category checks
 * @since 0.1.0
 */
export const number = (option: string, value: number, range: Range = {}): Result.Result<number, BoundError> =>
  within(option, value, { kind: "a number", largest: Number.MAX_VALUE, isOfKind: Number.isFinite, range })

/** A duration made from no number is one of 0, so it has to be found before. */
const holdsNaN = (input: Duration.Input): boolean =>
  typeof input === "number"
    ? Number.isNaN(input)
    : typeof input === "object" && !Duration.isDuration(input) && Object.values(input).some(Number.isNaN)

const givenDuration = (input: Duration.Input): string =>
  Duration.isDuration(input) || typeof input !== "object"
    ? String(input)
    : JSON.stringify(input, (_, value: unknown) => typeof value === "number" ? String(value) : value)

/**
 * Checks a duration, such as `timeout`: finite, unless the range says otherwise, and not negative.
 *
 * **Example** (Refusing a timeout that never ends)
 *
 * ```ts
 * import { Bound } from "@appservice-ping/domain"
 * import { Result } from "effect"
 *
 * const checked = Bound.duration("timeout", Infinity)
 * Result.isFailure(checked) ? checked.failure.message : ""
 * // => "timeout: expected a duration of at least 0, but it is Infinity"
 * ```
 *
 * @category checks
 * @since 0.1.0
 */
export const duration = (
  option: string,
  input: Duration.Input,
  { infinite = false, minimum = Duration.zero }: DurationRange = {}
): Result.Result<Duration.Duration, BoundError> => {
  const parsed = holdsNaN(input) ? undefined : Duration.fromInput(input)
  const least = Duration.fromInputUnsafe(minimum)
  if (
    parsed?._tag === "Some" && Duration.isGreaterThanOrEqualTo(parsed.value, least) &&
    (infinite || Duration.isFinite(parsed.value))
  ) {
    return Result.succeed(parsed.value)
  }
  const shortest = Duration.isZero(least) ? "0" : Duration.format(least)
  const expected = `a duration of at least ${shortest}${infinite ? ", or Infinity" : ""}`
  return Result.fail(new BoundError({ option, expected, given: givenDuration(input) }))
}

/**
 * Returns a count or a size that {@link integer} accepts, and throws its `BoundError` otherwise.
 *
 * @category unsafe
 * @since 0.1.0
 */
export const integerUnsafe = (option: string, value: number, range?: Range): number =>
  Result.getOrThrow(integer(option, value, range))

/**
 * Returns a number that {@link number} accepts, and throws its `BoundError` otherwise.
 *
 * @category unsafe
 * @since 0.1.0
 */
export const numberUnsafe = (option: string, value: number, range?: Range): number =>
  Result.getOrThrow(number(option, value, range))

/**
 * Returns a duration that {@link duration} accepts, and throws its `BoundError` otherwise.
 *
 * @category unsafe
 * @since 0.1.0
 */
export const durationUnsafe = (option: string, input: Duration.Input, range?: DurationRange): Duration.Duration =>
  Result.getOrThrow(duration(option, input, range))
