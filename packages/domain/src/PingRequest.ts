/**
 * The body of a ping, the same on both legs.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { TransactionId } from "./TransactionId.ts"

/**
 * Schema for the body of a ping, on both legs: an object with an optional `transaction_id` (C6, A4).
 *
 * @category schemas
 * @since 0.1.0
 */
export const PingRequest = Schema.Struct({ transaction_id: Schema.optionalKey(TransactionId) })

/**
 * The body of a ping.
 *
 * @category models
 * @since 0.1.0
 */
export type PingRequest = typeof PingRequest.Type
