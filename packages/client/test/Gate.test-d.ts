import * as Detection from "@appservice-ping/client/Detection"
import * as Gate from "@appservice-ping/client/Gate"
import type { AttemptTimeout, GateEvent, GaveUpError } from "@appservice-ping/client/GateEvent"
import * as VerifiedPing from "@appservice-ping/client/VerifiedPing"
import type { Diagnosis } from "@appservice-ping/domain/Diagnosis"
import type { ConnectionFailed, PingError } from "@appservice-ping/domain/PingError"
import type { PingUnsupported } from "@appservice-ping/domain/PingUnsupported"
import type { TransportError } from "@appservice-ping/domain/TransportError"
import type { AnsweredElsewhere, SeenButFailed, TooManyPending } from "@appservice-ping/domain/VerifiedPingError"
import type { Effect, Layer, Stream } from "effect"
import type { HttpClient } from "effect/http/HttpClient"
import { describe, expectTypeOf, test } from "vitest"

interface Needed {
  readonly _: unique symbol
}

interface Other {
  readonly _: unique symbol
}

declare const ping: Effect.Effect<number, ConnectionFailed, Needed>
declare const odd: Effect.Effect<number, "odd", Needed>
declare const diagnose: (error: "odd") => Diagnosis
declare const onEvent: (event: GateEvent<number, ConnectionFailed>) => Effect.Effect<void, never, Other>

describe("the gate", () => {
  test("keeps value, error and requirements of the ping", () => {
    expectTypeOf(Gate.wait({ ping }))
      .toEqualTypeOf<Effect.Effect<number, GaveUpError<ConnectionFailed>, Needed>>()
    expectTypeOf(Gate.events({ ping }))
      .toEqualTypeOf<Stream.Stream<GateEvent<number, ConnectionFailed>, never, Needed>>()
    expectTypeOf(Gate.layer({ ping }))
      .toEqualTypeOf<Layer.Layer<never, GaveUpError<ConnectionFailed>, Needed>>()
    expectTypeOf<GaveUpError<ConnectionFailed>["error"]>().toEqualTypeOf<ConnectionFailed | AttemptTimeout>()
  })

  test("needs what the hook needs", () => {
    expectTypeOf(Gate.wait({ ping, onEvent }))
      .toEqualTypeOf<Effect.Effect<number, GaveUpError<ConnectionFailed>, Needed | Other>>()
  })

  test("does not take an error that nobody can explain", () => {
    // @ts-expect-error An error of the app's own needs a diagnose.
    void Gate.wait({ ping: odd })
    // @ts-expect-error An error of the app's own needs a diagnose.
    void Gate.events({ ping: odd })
    expectTypeOf(Gate.wait({ ping: odd, diagnose }))
      .toEqualTypeOf<Effect.Effect<number, GaveUpError<"odd">, Needed>>()
  })
})

describe("the services", () => {
  test("name every way in which they fail", () => {
    expectTypeOf<Effect.Error<ReturnType<VerifiedPing.VerifiedPing["Service"]["ping"]>>>()
      .toEqualTypeOf<AnsweredElsewhere | PingError | SeenButFailed | TooManyPending | TransportError>()
    expectTypeOf<Effect.Error<Detection.Detection["Service"]["detect"]>>()
      .toEqualTypeOf<PingError | PingUnsupported | TransportError>()
  })

  test("need an HTTP client where they ask, and nothing where they are told", () => {
    expectTypeOf(Detection.make({ homeserver: new URL("https://matrix.example") }))
      .toEqualTypeOf<Effect.Effect<Detection.Detection["Service"], never, HttpClient>>()
    expectTypeOf<Effect.Services<ReturnType<VerifiedPing.VerifiedPing["Service"]["ping"]>>>()
      .toEqualTypeOf<HttpClient>()
    expectTypeOf(VerifiedPing.VerifiedPing.layer()).toEqualTypeOf<Layer.Layer<VerifiedPing.VerifiedPing>>()
  })
})
