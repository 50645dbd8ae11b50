/** Registrations of a test. */
import * as Registration from "@appservice-ping/domain/Registration"
import { assert } from "@effect/vitest"
import { Result } from "effect"

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

/** A registration with the usual tokens. */
export const registration = (fields: { readonly [key: string]: unknown } = {}): Registration.Registration =>
  Result.getOrThrow(
    Registration.fromUnknown({
      id: "telegram",
      url: "http://127.0.0.1:29317",
      as_token: canaries.as_token,
      hs_token: canaries.hs_token,
      sender_localpart: "telegrambot",
      namespaces: { users: [{ regex: "@telegram_.*", exclusive: true }] },
      ...fields
    })
  )
