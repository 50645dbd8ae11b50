import { wait } from "@appservice-ping/client/Gate"
import type { GaveUpError } from "@appservice-ping/client/GateEvent"
import { ping, type PingOptions } from "@appservice-ping/client/Ping"
import type { PingSuccess } from "@appservice-ping/domain/Answer"
import type * as PingError from "@appservice-ping/domain/PingError"
import type { Registration } from "@appservice-ping/domain/Registration"
import type * as TransportError from "@appservice-ping/domain/TransportError"
import { Effect } from "effect"
import type { HttpClient } from "effect/http/HttpClient"
import { describe, expectTypeOf, test } from "vitest"

declare const options: PingOptions

type Union =
  | PingError.BadJson
  | PingError.BadStatus
  | PingError.ConnectionFailed
  | PingError.ConnectionTimeout
  | PingError.Forbidden
  | PingError.LimitExceeded
  | PingError.MissingToken
  | PingError.NotJson
  | PingError.OtherErrcode
  | PingError.UnknownToken
  | PingError.Unrecognized
  | PingError.UrlNotSet
  | TransportError.HomeserverUnreachable
  | TransportError.NotHomeserver
  | TransportError.Undecided

const total = (_: Effect.Effect<PingSuccess, never, HttpClient>): void => {}

const handled = () => Effect.succeed<PingSuccess>({ duration_ms: 0 })

const allButOne = {
  HomeserverUnreachable: handled,
  M_BAD_JSON: handled,
  M_BAD_STATUS: handled,
  M_CONNECTION_FAILED: handled,
  M_CONNECTION_TIMEOUT: handled,
  M_FORBIDDEN: handled,
  M_LIMIT_EXCEEDED: handled,
  M_MISSING_TOKEN: handled,
  M_NOT_JSON: handled,
  M_UNKNOWN_TOKEN: handled,
  M_UNRECOGNIZED: handled,
  M_URL_NOT_SET: handled,
  NotHomeserver: handled,
  OtherErrcode: handled
} as const

describe("the errors of ping", () => {
  test("are exactly the union", () => {
    expectTypeOf(ping(options)).toEqualTypeOf<Effect.Effect<PingSuccess, Union, HttpClient>>()
    expectTypeOf(wait({ ping: ping(options) }))
      .toEqualTypeOf<Effect.Effect<PingSuccess, GaveUpError<Union>, HttpClient>>()
  })

  test("leave nothing behind when every tag is handled", () => {
    const all = Effect.catchTags(ping(options), { ...allButOne, Undecided: handled })
    expectTypeOf(all).toEqualTypeOf<Effect.Effect<PingSuccess, never, HttpClient>>()
    expectTypeOf(total(all)).toBeVoid()
  })

  test("leave the one behind that is forgotten", () => {
    const forgotten = Effect.catchTags(ping(options), allButOne)
    expectTypeOf(forgotten).toEqualTypeOf<Effect.Effect<PingSuccess, TransportError.Undecided, HttpClient>>()
    // @ts-expect-error A handler map that forgets a case does not compile where no error may be left.
    // @effect-diagnostics-next-line missingEffectError:off
    expectTypeOf(total(forgotten)).toBeVoid()
  })

  test("have no tag that a handler could invent", () => {
    // @ts-expect-error M_UNKNOWN is an errcode of OtherErrcode, not a tag.
    expectTypeOf(Effect.catchTags(ping(options), { M_UNKNOWN: handled })).not.toBeAny()
  })

  test("carry their data by tag", () => {
    void Effect.catchTag(ping(options), "M_BAD_STATUS", (error) => {
      expectTypeOf(error.status).toEqualTypeOf<number | undefined>()
      expectTypeOf(error.body).toEqualTypeOf<string | undefined>()
      return handled()
    })
    void Effect.catchTag(ping(options), "OtherErrcode", (error) => {
      expectTypeOf(error.errcode).toEqualTypeOf<string>()
      expectTypeOf(error.status).toEqualTypeOf<number>()
      return handled()
    })
  })
})

describe("the options of ping", () => {
  test("take a whole registration", () => {
    expectTypeOf<Registration>().toExtend<PingOptions["registration"]>()
  })

  test("do not take a token that is not redacted", () => {
    expectTypeOf<{ readonly id: Registration["id"]; readonly as_token: string }>()
      .not.toExtend<PingOptions["registration"]>()
  })

  test("do not take an id that was not checked", () => {
    expectTypeOf<{ readonly id: string; readonly as_token: Registration["as_token"] }>()
      .not.toExtend<PingOptions["registration"]>()
  })
})
