/**
 * What the words of a homeserver say about its connection to the appservice.
 *
 * @since 0.1.0
 */
import * as Signs from "./internal/connectionSign.ts"
import type { ConnectionFailed, OtherErrcode } from "./PingError.ts"

/**
 * A kind of failed connection, or one of two answers that some homeservers take for one; `unknown` where the words say
 * nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type Sign = Signs.Sign

/**
 * What a text says: how the connection failed, and the appservice's status where it names one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reading {
  readonly sign: Sign
  readonly status: number | undefined
}

/**
 * Reads the `error` of a homeserver that calls its connection failed; total.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = ({ error }: Pick<ConnectionFailed | OtherErrcode, "error">): Reading => {
  const sign = Signs.fromText(error)
  return { sign, status: sign === "unknown" ? Signs.statusFromText(error) : undefined }
}
