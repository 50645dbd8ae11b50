// Goal: no token shows up in an answer, an error, a log line or a span, whatever happens on the way (D8).
// Method: both tokens contain the word "canary"; everything that anyone could print is searched for it.
import * as Ping from "@appservice-ping/client/Ping"
import type { Handler } from "@appservice-ping/server/Exchange"
import type { Single } from "@appservice-ping/testbed/fault/Catalogue"
import * as Tour from "@appservice-ping/testbed/scenario/Tour"
import { registration as defaultRegistration, Testbed, type TestbedOptions } from "@appservice-ping/testbed/Testbed"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Inspectable, Layer, Logger, Redacted, References, type Scope, Tracer } from "effect"
import type { HttpClient } from "effect/http"
import { inspect } from "node:util"
import { ask } from "./support/ask.ts"
import { memory, type Mode, modes } from "./support/modes.ts"

// Characters that are written differently in a URL and in JSON.
const asToken = "as/canary+\\\"%25=x9QwLk3"
const hsToken = "hs/canary+\\\"%25=v7TzMn5"

const registration = {
  ...defaultRegistration,
  as_token: Redacted.make(asToken),
  hs_token: Redacted.make(hsToken)
}

const show = (value: unknown): string => inspect(value, { depth: Infinity, showHidden: true })

interface Recorder {
  readonly texts: Array<string>
  readonly layer: Layer.Layer<never>
}

/** Keeps every log line in every format, and every span with all that is in it. */
const makeRecorder = (): Recorder => {
  const texts: Array<string> = []
  const record = (logger: Logger.Logger<unknown, unknown>) =>
    Logger.make((options) => {
      texts.push(`log: ${show(logger.log(options))}`)
    })
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      const end = span.end.bind(span)
      span.end = (endTime, exit) => {
        end(endTime, exit)
        texts.push(`span: ${show([span.name, span.attributes, span.events, span.links])}`)
        if (Exit.isFailure(exit)) texts.push(`span: ${Cause.pretty(exit.cause)}`)
      }
      return span
    }
  })
  return {
    texts,
    layer: Layer.mergeAll(
      Logger.layer([Logger.formatSimple, Logger.formatLogFmt, Logger.formatJson, Logger.formatStructured].map(record)),
      Layer.succeed(Tracer.Tracer, tracer),
      Layer.succeed(References.MinimumLogLevel, "All")
    )
  }
}

const renderError = (cause: Cause.Cause<unknown>): ReadonlyArray<string> => {
  const error = Cause.squash(cause)
  return [
    String(error),
    JSON.stringify(error),
    show(error),
    Inspectable.toStringUnknown(error),
    error instanceof Error ? `${error.name} ${error.message} ${error.stack}` : "",
    show(cause),
    Cause.pretty(cause)
  ].map((text) => `error: ${text}`)
}

/** Everything that an exchange under a fault leaves behind. */
const traces = Effect.fnUntraced(function*(
  mode: Mode,
  options: TestbedOptions,
  before: Effect.Effect<unknown, never, Testbed | HttpClient.HttpClient | Scope.Scope>
) {
  const { layer, texts } = makeRecorder()
  yield* Effect.gen(function*() {
    yield* before
    const testbed = yield* Testbed
    const answer = yield* ask
    texts.push(`answer: ${answer.status} ${show(answer.headers)} ${answer.body}`)
    const exit = yield* Ping.ping(testbed).pipe(
      Effect.tapCause((cause) => Effect.logError("the ping failed", cause)),
      Effect.exit
    )
    texts.push(...(Exit.isFailure(exit) ? renderError(exit.cause) : [`success: ${show(exit.value)}`]))
  }).pipe(mode.run({ registration, pingTimeout: "300 millis", ...options }), Effect.provide(layer))
  return texts
})

/** The word is in every spelling of both tokens; their starts are what a cut would leave of them. */
const secrets = ["canary", "as/c", "hs/c", "as%2F", "hs%2F"]

const leaksIn = (texts: ReadonlyArray<string>): ReadonlyArray<string> =>
  texts.filter((text) => secrets.some((secret) => text.includes(secret)))

const injected = ({ fault, leg }: Single) => Effect.flatMap(Testbed, (testbed) => testbed.inject(fault, leg))

/** An appservice that repeats what it was asked with, as a debugging page does. */
const echo = (pad: string): Handler => (request) => {
  const authorization = request.header("authorization") ?? ""
  assert.strictEqual(authorization, `Bearer ${hsToken}`)
  return Effect.succeed({
    status: 500,
    headers: { "content-type": "text/html", "x-echo": authorization.replaceAll("\\", "") },
    body: `${pad}<pre>${authorization} ${encodeURIComponent(hsToken)} ${
      JSON.stringify({ authorization })
    } ${authorization}`
  })
}

for (const mode of modes) {
  describe.concurrent(`D8 no token in any answer, error, log line or span, ${mode.name}`, { timeout: 30_000 }, () => {
    for (const single of Tour.faults("300 millis").filter(({ leg }) => leg === "to_appservice")) {
      it.live(`D8 ${Tour.nameOf(single)}`, () =>
        Effect.gen(function*() {
          const texts = yield* traces(mode, {}, injected(single))
          assert.deepStrictEqual(leaksIn(texts), [])
          for (const kind of ["answer", "span"]) assert.isTrue(texts.some((text) => text.startsWith(`${kind}: `)), kind)
          assert.isTrue(texts.some((text) => text.includes("OutgoingPing.send")))
        }))
    }

    it.live("D8 an appservice that echoes the request's headers in a 500", () =>
      Effect.gen(function*() {
        const texts = yield* traces(mode, { appservice: echo("") }, Effect.void)
        assert.deepStrictEqual(leaksIn(texts), [])
        assert.isTrue(texts.some((text) => text.startsWith("answer: 502") && text.includes("<redacted>")))
        assert.isTrue(texts.some((text) => text.startsWith("error: ") && text.includes("<redacted>")))
        assert.isTrue(texts.some((text) => text.startsWith("log: ") && text.includes("M_BAD_STATUS")))
      }))

    it.live("D8 an appservice whose echo is cut in the middle of the token", () =>
      Effect.gen(function*() {
        // The homeserver keeps 64 KiB; the last token of the echo lies across that edge, with 12 characters kept.
        const pad = "x".repeat(64 * 1024 - "<pre>Bearer ".length - 12)
        const texts = yield* traces(mode, { appservice: echo(pad) }, Effect.void)
        assert.deepStrictEqual(leaksIn(texts), [])
        assert.isTrue(texts.some((text) => text.startsWith("answer: 502") && text.includes("<redacted>")))
      }))
  })
}

describe("the search for tokens", () => {
  it.live("finds a token in a log line, in a span and in an answer", () =>
    Effect.gen(function*() {
      const logged = yield* traces(memory, {}, Effect.logDebug("got", { hsToken }))
      assert.lengthOf(leaksIn(logged), 4)
      const spanned = yield* traces(
        memory,
        {},
        Effect.withSpan(Effect.void, "leak", { attributes: { url: encodeURIComponent(asToken) } })
      )
      assert.lengthOf(leaksIn(spanned), 1)
      const answered = yield* traces(memory, {
        appservice: () => Effect.succeed({ status: 500, headers: {}, body: "canary" })
      }, Effect.void)
      assert.isTrue(leaksIn(answered).some((text) => text.startsWith("answer: ")))
      assert.isTrue(leaksIn(answered).some((text) => text.startsWith("error: ")))
    }))
})
