import { type PingError } from "@appservice-ping/domain/PingError"
import { type TransportError } from "@appservice-ping/domain/TransportError"
import { Effect, Match } from "effect"
import { describe, expectTypeOf, it } from "vitest"

describe("PingError", () => {
  it("is the union of the spec's errcodes and one open case", () => {
    expectTypeOf<PingError["_tag"]>().toEqualTypeOf<
      | "M_BAD_JSON"
      | "M_BAD_STATUS"
      | "M_CONNECTION_FAILED"
      | "M_CONNECTION_TIMEOUT"
      | "M_FORBIDDEN"
      | "M_LIMIT_EXCEEDED"
      | "M_MISSING_TOKEN"
      | "M_NOT_JSON"
      | "M_UNKNOWN_TOKEN"
      | "M_UNRECOGNIZED"
      | "M_URL_NOT_SET"
      | "OtherErrcode"
    >()
  })

  it("is told apart from the errors of the transport", () => {
    expectTypeOf<TransportError["_tag"]>().toEqualTypeOf<"HomeserverUnreachable" | "NotHomeserver" | "Undecided">()
    expectTypeOf<Extract<PingError["_tag"], TransportError["_tag"]>>().toEqualTypeOf<never>()
  })

  it("gives each case its own fields", () => {
    type BadStatus = Extract<PingError, { readonly _tag: "M_BAD_STATUS" }>
    expectTypeOf<BadStatus["status"]>().toEqualTypeOf<number | undefined>()
    expectTypeOf<BadStatus["body"]>().toEqualTypeOf<string | undefined>()
    expectTypeOf<Extract<PingError, { readonly _tag: "M_FORBIDDEN" }>>().not.toHaveProperty("status")
  })
})

const handlers = {
  M_BAD_JSON: () => 1,
  M_BAD_STATUS: () => 2,
  M_CONNECTION_FAILED: () => 3,
  M_CONNECTION_TIMEOUT: () => 4,
  M_FORBIDDEN: () => 5,
  M_LIMIT_EXCEEDED: () => 6,
  M_MISSING_TOKEN: () => 7,
  M_NOT_JSON: () => 8,
  M_UNKNOWN_TOKEN: () => 9,
  M_UNRECOGNIZED: () => 10,
  M_URL_NOT_SET: () => 11,
  OtherErrcode: () => 12
} as const

const { M_FORBIDDEN: _forgotten, ...handlersWithoutOne } = handlers

describe("handling PingError", () => {
  it("is exhaustive under Match", () => {
    const handle = (error: PingError): number => Match.valueTags(error, handlers)
    expectTypeOf(handle).returns.toEqualTypeOf<number>()
    // @ts-expect-error a case is forgotten
    const forget = (error: PingError): number => Match.valueTags(error, handlersWithoutOne)
    expectTypeOf(forget).toBeFunction()
    // @ts-expect-error a case does not exist
    const invent = (error: PingError): number => Match.valueTags(error, { ...handlers, M_INVENTED: () => 13 })
    expectTypeOf(invent).toBeFunction()
  })

  it("is exhaustive under switch", () => {
    const handle = (error: PingError): number => {
      switch (error._tag) {
        case "M_BAD_JSON":
        case "M_BAD_STATUS":
        case "M_CONNECTION_FAILED":
        case "M_CONNECTION_TIMEOUT":
        case "M_FORBIDDEN":
        case "M_LIMIT_EXCEEDED":
        case "M_MISSING_TOKEN":
        case "M_NOT_JSON":
        case "M_UNKNOWN_TOKEN":
        case "M_UNRECOGNIZED":
        case "M_URL_NOT_SET":
          return 1
        case "OtherErrcode":
          return 2
        default:
          return error
      }
    }
    expectTypeOf(handle).returns.toEqualTypeOf<number>()
    const forget = (error: PingError): string => {
      if (error._tag !== "M_FORBIDDEN") return "handled"
      // @ts-expect-error one case is left
      return error satisfies never
    }
    expectTypeOf(forget).toBeFunction()
  })

  it("is exhaustive under Effect.catchTags", () => {
    const succeed = () => Effect.succeed(0)
    const all = Match.type<PingError>().pipe(Match.tagsExhaustive(handlers))
    expectTypeOf(all).returns.toEqualTypeOf<number>()
    const effects = {
      M_BAD_JSON: succeed,
      M_BAD_STATUS: succeed,
      M_CONNECTION_FAILED: succeed,
      M_CONNECTION_TIMEOUT: succeed,
      M_FORBIDDEN: succeed,
      M_LIMIT_EXCEEDED: succeed,
      M_MISSING_TOKEN: succeed,
      M_NOT_JSON: succeed,
      M_UNKNOWN_TOKEN: succeed,
      M_UNRECOGNIZED: succeed,
      M_URL_NOT_SET: succeed,
      OtherErrcode: succeed
    }
    const { M_FORBIDDEN: _left, ...effectsWithoutOne } = effects
    const ping: Effect.Effect<number, PingError> = Effect.succeed(0)
    const handled = ping.pipe(Effect.catchTags(effects))
    expectTypeOf<Effect.Error<typeof handled>>().toEqualTypeOf<never>()
    const unhandled = ping.pipe(Effect.catchTags(effectsWithoutOne))
    expectTypeOf<Effect.Error<typeof unhandled>["_tag"]>().toEqualTypeOf<"M_FORBIDDEN">()
    expectTypeOf(handled).toExtend<Effect.Effect<number>>()
    expectTypeOf(unhandled).not.toExtend<Effect.Effect<number>>()
  })
})
