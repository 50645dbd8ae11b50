/**
 * The id that ties a ping to the call it causes.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * Schema for a transaction id: any string, empty ones included, passed through unchanged (C7).
 *
 * @category schemas
 * @since 0.1.0
 */
export const TransactionId = Schema.String.annotate({
  description: "Passed unchanged from the appservice's request to the homeserver's call."
})

/**
 * A transaction id.
 *
 * @category models
 * @since 0.1.0
 */
export type TransactionId = typeof TransactionId.Type
