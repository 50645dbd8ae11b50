/**
 * Reads from the words of a homeserver how its connection to the appservice failed.
 *
 * @since 0.1.0
 */
import * as Signs from "./internal/sign/read.ts"
import type { ConnectionFailed, OtherErrcode } from "./PingError.ts"

/**
 * A kind of failed connection, or what a homeserver takes for one; `unknown` where the words say nothing.
 *
 * **Details**
 *
 * - `url`, `token`, `transactionId`: the homeserver cannot send this as it is written
 * - `httpToTls`: it sent plain HTTP to a port that speaks TLS
 * - `proxy`: its own forward proxy failed; `blocked`: its own rules forbid the address
 * - `answered`: something answered, and not well; `redirect`, `notJson` and `noLength` say how
 * - `unreadable`: an answer began, and its body could not be read
 *
 * @category models
 * @since 0.1.0
 */
export type Sign = Signs.Sign

/**
 * The defect of TLS: `plain` where the port does not speak it, `rejected` where the certificate is not accepted and
 * the words do not say why.
 *
 * @category models
 * @since 0.1.0
 */
export type TlsDefect = Signs.TlsDefect

/**
 * The meaning of a text: how the connection failed, and the appservice's status if it names one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reading {
  readonly sign: Sign
  /** Only with the sign `tls`; else `unknown`. */
  readonly tls: TlsDefect
  readonly status: number | undefined
  /** Whether the words can mean something else too. */
  readonly possible: boolean
}

/**
 * Facts about the ping that a text is about.
 *
 * @category options
 * @since 0.1.0
 */
export interface Context {
  /** The registration's `url`: its host and port are no sign of anything, and TLS needs https. */
  readonly url?: string | null | undefined
  /** The URL of the homeserver that was asked. */
  readonly homeserver?: string | undefined
  /** The registration's `id`. */
  readonly id?: string | undefined
}

/**
 * Reads the `error` of a homeserver that calls its connection failed; total.
 *
 * **Details**
 *
 * The id, hosts, ports and URLs of `context` are taken out of the text before it is read, because a peer repeats them and
 * they may hold any word.
 *
 * **Example** (Reading the words of Go)
 *
 * ```ts
 * import { ConnectionSign } from "@appservice-ping/domain"
 *
 * ConnectionSign.read({ error: "dial tcp: lookup bridge: no such host" }).sign // => "dns"
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (
  { error }: Pick<ConnectionFailed | OtherErrcode, "error">,
  { homeserver, id, url }: Context = {}
): Reading => {
  const { possible, sign, status, tls } = Signs.read(error, {
    id,
    urls: [url, homeserver],
    scheme: url === null || url === undefined ? undefined : URL.parse(url)?.protocol
  })
  return { sign, tls, status, possible }
}
