/** Names and attributes of this package's spans: few different values, and no secret (D8). */
import * as AppserviceUrl from "@appservice-ping/domain/AppserviceUrl"
import { Effect, Predicate } from "effect"

type Attributes = { readonly [name: string]: unknown }

/** The homeserver's address, without anything that a URL can hide a secret in. */
export const server = (url: URL): Attributes => ({
  "server.address": url.hostname,
  "server.port": AppserviceUrl.portOf(url)
})

const tagOf = (error: unknown): string =>
  Predicate.hasProperty(error, "_tag") && typeof error._tag === "string" ? error._tag : "unknown"

/** Writes into the span under way how its effect ended: `success` and what is known of it, or the error's tag. */
export const outcome =
  <A>(succeeded: (value: A) => Attributes) => <E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    effect.pipe(
      Effect.tap((value) => Effect.annotateCurrentSpan({ "appservice_ping.outcome": "success", ...succeeded(value) })),
      Effect.tapError((error) =>
        Effect.annotateCurrentSpan({ "appservice_ping.outcome": tagOf(error), "error.type": tagOf(error) })
      )
    )

/** The span of one of several attempts. */
export const attempt = (number: number) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  effect.pipe(
    outcome(() => ({})),
    Effect.withSpan("appservice_ping.attempt", { attributes: { "appservice_ping.attempt.number": number } })
  )
