/**
 * The appservices that a homeserver knows, and the owner of each token.
 *
 * @since 0.1.0
 */
import * as AppserviceUsers from "@appservice-ping/domain/AppserviceUsers"
import type { Registration } from "@appservice-ping/domain/Registration"
import * as Token from "@appservice-ping/domain/Token"
import { Context, Effect, Layer, Redacted, Schema } from "effect"

/**
 * The owner of a token: an appservice, an ordinary user, or unknown.
 *
 * @category models
 * @since 0.1.0
 */
export type Caller =
  | { readonly _tag: "Appservice"; readonly registration: Registration }
  | { readonly _tag: "User" }
  | { readonly _tag: "Unknown" }

/**
 * Registrations that conflict: two of them have the same `id` or the same `as_token` (C23).
 *
 * **Details**
 *
 * `ids` are the ids of the registrations involved; a token itself is never named.
 *
 * @category errors
 * @since 0.1.0
 */
export class RegistryError
  extends Schema.TaggedError<RegistryError>("@appservice-ping/server/homeserver/AppserviceRegistry/RegistryError")(
    "RegistryError",
    { field: Schema.Literals(["id", "as_token"]), ids: Schema.Array(Schema.String) }
  )
{
  override get message(): string {
    return this.field === "id"
      ? `two registrations have the id ${JSON.stringify(this.ids[0])}; give each appservice its own id`
      : `the as_token of ${
        this.ids.map((id) => JSON.stringify(id)).join(" and ")
      } is used twice; generate a new as_token for one of them`
  }
}

/**
 * Buckets tokens without revealing which: the key is drawn anew for each registry, so the time a lookup takes says
 * nothing about a token.
 */
const makeBucket = (): (token: Redacted.Redacted) => number => {
  const [key = 0, factor = 1] = crypto.getRandomValues(new Uint32Array(2))
  return (token) => {
    const text = Redacted.value(token)
    let hash = key
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), factor | 1) ^ (hash >>> 15)
    return hash >>> 0
  }
}

interface Entry {
  readonly token: Redacted.Redacted
  readonly caller: Caller
}

const build = (
  registrations: Iterable<Registration>,
  userTokens: Iterable<Redacted.Redacted>
): Effect.Effect<(token: Redacted.Redacted) => Caller, RegistryError> =>
  Effect.gen(function*() {
    const bucketOf = makeBucket()
    const buckets = new Map<number, Array<Entry>>()
    const find = (token: Redacted.Redacted): Entry | undefined => {
      let found: Entry | undefined
      for (const entry of buckets.get(bucketOf(token)) ?? []) {
        if (Token.equals(entry.token, token)) found = entry
      }
      return found
    }
    const add = (entry: Entry) => {
      const bucket = bucketOf(entry.token)
      buckets.set(bucket, [...buckets.get(bucket) ?? [], entry])
    }
    const ids = new Set<string>()
    for (const registration of registrations) {
      if (ids.has(registration.id)) {
        return yield* new RegistryError({ field: "id", ids: [registration.id] })
      }
      ids.add(registration.id)
      const same = find(registration.as_token)
      if (same?.caller._tag === "Appservice") {
        return yield* new RegistryError({ field: "as_token", ids: [same.caller.registration.id, registration.id] })
      }
      add({ token: registration.as_token, caller: { _tag: "Appservice", registration } })
    }
    for (const token of userTokens) {
      const same = find(token)
      if (same?.caller._tag === "Appservice") {
        return yield* new RegistryError({ field: "as_token", ids: [same.caller.registration.id] })
      }
      add({ token, caller: { _tag: "User" } })
    }
    return (token) => find(token)?.caller ?? { _tag: "Unknown" }
  })

/** Neither fatal nor silent: expressions are written for homeservers in other languages than ours. */
const warnOfUnreadable = (registrations: Iterable<Registration>): Effect.Effect<void> =>
  Effect.forEach(
    registrations,
    (registration) =>
      Effect.forEach(AppserviceUsers.make(registration, "").unreadable, (regex) =>
        Effect.logWarning(
          `The user namespace ${JSON.stringify(regex)} of the appservice ${
            JSON.stringify(registration.id)
          } is no regular expression here, so no user is in it`
        ), { discard: true }),
    { discard: true }
  )

/**
 * Service that identifies the owner of a token. A homeserver with a database provides its own.
 *
 * **Details**
 *
 * Such an implementation compares tokens in constant time, or looks them up by a keyed hash, and fails only by dying:
 * the homeserver answers a defect with `500 M_UNKNOWN`.
 *
 * @category services
 * @since 0.1.0
 */
export class AppserviceRegistry extends Context.Service<AppserviceRegistry, {
  readonly identify: (token: Redacted.Redacted) => Effect.Effect<Caller>
}>()("@appservice-ping/server/homeserver/AppserviceRegistry") {}

/**
 * Layer that holds registrations in memory, and refuses those that conflict with each other (C23).
 *
 * **Details**
 *
 * `userTokens` are the tokens of ordinary users, which the homeserver distinguishes from unknown ones (C4).
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  registrations: Iterable<Registration>,
  options?: { readonly userTokens?: Iterable<Redacted.Redacted> | undefined }
): Layer.Layer<AppserviceRegistry, RegistryError> =>
  Layer.effect(
    AppserviceRegistry,
    build(registrations, options?.userTokens ?? []).pipe(
      Effect.tap(() => warnOfUnreadable(registrations)),
      Effect.map((identify) => AppserviceRegistry.of({ identify: (token) => Effect.succeed(identify(token)) }))
    )
  )
