/** Registration files of a test, which go with its scope. */
import { assert } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Tokens that no output may hold. */
export const canaries = {
  as_token: "as_canary_7f3b9c2e5d",
  hs_token: "hs_canary_1a8d4e6f0b",
  user: "user_canary_55aa66bb77"
} as const

/** Asserts that an output holds none of them. */
export const assertNoToken = (text: string): void => {
  for (const canary of Object.values(canaries)) assert.notInclude(text, canary)
}

/** The text of a registration. */
export const registration = (fields: { readonly [key: string]: unknown } = {}): string =>
  JSON.stringify({
    id: "telegram",
    url: "http://127.0.0.1:29317",
    as_token: canaries.as_token,
    hs_token: canaries.hs_token,
    sender_localpart: "telegrambot",
    namespaces: { users: [{ regex: "@telegram_.*", exclusive: true }] },
    ...fields
  })

/** Writes a file and gives its path. */
export const write = (content: string | Uint8Array): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "appservice-ping-"))),
      (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
    )
    const path = join(folder, "registration.yaml")
    yield* Effect.promise(() => writeFile(path, content, { mode: 0o600 }))
    return path
  })

/** Writes a registration, and gives its path. */
export const writeRegistration = (
  fields?: { readonly [key: string]: unknown }
): Effect.Effect<string, never, Scope.Scope> => write(registration(fields))
