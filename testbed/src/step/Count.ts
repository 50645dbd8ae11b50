/**
 * Whole numbers of a plan: how many, how large, which one. Every one of them is finite, not negative and bounded, and a
 * number out of its bounds is refused with the name of its field.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * The largest count of a plan.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxCount = 2 ** 31 - 1

/**
 * Schema for a whole number within bounds, both ends included.
 *
 * @category schemas
 * @since 0.1.0
 */
export const whole = (minimum: number, maximum: number) =>
  Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum, maximum })))

/**
 * Schema for how many there are, from 0.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Count = whole(0, maxCount)

/**
 * Schema for which one it is, from 1.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Ordinal = whole(1, maxCount)

/**
 * Schema for a number of bytes, from 1 to 64 MiB.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Size = whole(1, 64 * 1024 * 1024)
