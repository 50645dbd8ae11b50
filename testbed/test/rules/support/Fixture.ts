/** The registrations, tokens and requests that the rules are tested with. */
import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import type { Registration } from "@appservice-ping/domain/Registration"
import { Redacted } from "effect"
import * as Http from "./Http.ts"

/** Invented tokens, each recognisable wherever it might leak. */
export const tokens = {
  as: "as-canary-5f1d0c9e7a",
  hs: "hs-canary-83b2e6d4c1",
  otherAs: "as-canary-other-19c4",
  user: "user-canary-77aa01fe"
} as const

/** A registration, with what matters to a test given and the rest filled in. */
export const registration = (
  options: {
    readonly id?: string
    readonly url?: string | null
    readonly asToken?: string
    readonly hsToken?: string
    /** The expressions of the user namespaces. */
    readonly users?: ReadonlyArray<string>
  } = {}
): Registration => ({
  id: AppserviceId.make(options.id ?? "telegram"),
  url: options.url ?? null,
  as_token: Redacted.make(options.asToken ?? tokens.as),
  hs_token: Redacted.make(options.hsToken ?? tokens.hs),
  sender_localpart: "bot",
  namespaces: options.users === undefined
    ? {}
    : { users: options.users.map((regex) => ({ regex, exclusive: true })) }
})

/** Another appservice of the same homeserver. */
export const other: Registration = registration({ id: "irc", asToken: tokens.otherAs, hsToken: "hs-canary-other-52d0" })

/** The path of the ping of the client-server API. */
export const path = (id: string = "telegram"): string => `/_matrix/client/v1/appservice/${encodeURIComponent(id)}/ping`

/** The same endpoint before spec v1.7. */
export const unstablePath = (id: string = "telegram"): string =>
  `/_matrix/client/unstable/fi.mau.msc2659/appservice/${encodeURIComponent(id)}/ping`

/** The path of the ping of the application service API. */
export const appservicePath = "/_matrix/app/v1/ping"

/** The same endpoint before spec v1.7. */
export const appserviceUnstablePath = "/_matrix/app/unstable/fi.mau.msc2659/ping"

export const bearer = (token: string): readonly [string, string] => ["Authorization", `Bearer ${token}`]

/** The bytes of a ping as an appservice sends it to its homeserver. */
export const ping = (
  options: { readonly id?: string; readonly token?: string; readonly body?: string | Uint8Array } = {}
): Buffer =>
  Http.request({
    target: path(options.id),
    headers: [bearer(options.token ?? tokens.as), ["Content-Type", "application/json"]],
    body: options.body ?? "{}"
  })

/** The bytes of a ping as a homeserver sends it to an appservice. */
export const appservicePing = (
  options: { readonly token?: string; readonly body?: string | Uint8Array } = {}
): Buffer =>
  Http.request({
    target: appservicePath,
    headers: [bearer(options.token ?? tokens.hs), ["Content-Type", "application/json"]],
    body: options.body ?? "{}"
  })
