/**
 * The TLS handshake goes wrong.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import type { Action } from "../../step/Action.ts"
import { answer } from "../internal/http.ts"
import { fin, forward, play, read, relay, secure, write } from "../internal/steps.ts"
import * as Kind from "../Kind.ts"

const Defect = Schema.Literals([
  "self_signed",
  "untrusted",
  "expired",
  "not_yet_valid",
  "wrong_host",
  "alert",
  "old_version",
  "client_certificate_required",
  "plain_http"
])

const schema = Schema.Struct({ type: Schema.tag("tls"), defect: Defect })

/**
 * The TLS handshake goes wrong: by the certificate, by an alert, or because the other side speaks plain HTTP.
 *
 * @category constructors
 * @since 0.1.0
 */
export const tls = (defect: typeof Defect.Type): typeof schema.Type => ({ type: "tls", defect })

const actionOf = (defect: typeof Defect.Type): Action => {
  switch (defect) {
    case "alert":
      // A fatal handshake_failure, as RFC 8446 writes it.
      return play({ step: "read", bytes: 1 }, write(Uint8Array.of(0x15, 3, 3, 0, 2, 2, 40)), fin)
    case "plain_http":
      return play({ step: "read", bytes: 1 }, write(answer(400, {}, "")), fin)
    case "old_version":
      return play({ step: "secure", certificate: "good", version: "1.1" }, read, forward, relay)
    case "client_certificate_required":
      return play({ step: "secure", certificate: "good", client_certificate: true }, read, forward, relay)
    default:
      return play(secure(defect), read, forward, relay)
  }
}

/**
 * Everything that is said of this fault.
 *
 * @category definitions
 * @since 0.1.0
 */
export const kind = Kind.of(schema, {
  summary: "the TLS handshake goes wrong",
  synonyms: ["ssl", "certificate"],
  stageOf: () => "connection",
  actionOf: ({ defect }) => actionOf(defect),
  describe: ({ defect }) => `TLS: ${defect}`,
  variantOf: ({ defect }) => [defect],
  needsTls: () => true,
  examples: () => Defect.literals.map(tls)
})
