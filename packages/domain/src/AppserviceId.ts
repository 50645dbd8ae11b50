/**
 * The id of an appservice, as its registration and the ping's path carry it.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

const isAddressable = (id: string): boolean => id.isWellFormed() && id !== "." && id !== ".."

/**
 * Schema for the id of an appservice: free text that fits into one segment of a path (C20).
 *
 * **Details**
 *
 * The spec's own example is `IRC Bridge`, so spaces, slashes and every script are allowed. Refused is only what no
 * request can carry: the empty string, `.` and `..` (every client resolves them away) and lone surrogates.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AppserviceId = Schema.String.annotate({
  message: "expected text, in quotes if it looks like a number or a boolean"
}).pipe(
  Schema.check(
    Schema.isNonEmpty({ expected: "text of at least one character" }),
    Schema.makeFilter(isAddressable, { expected: "text other than \".\" and \"..\", without lone surrogates" })
  ),
  Schema.brand("AppserviceId")
)

/**
 * The id of an appservice.
 *
 * @category models
 * @since 0.1.0
 */
export type AppserviceId = typeof AppserviceId.Type
