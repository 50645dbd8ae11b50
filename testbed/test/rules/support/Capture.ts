/** Captures every log line and every span of a test, so that a secret in any of them is seen. */
import { Cause, Effect, Exit, Layer, Logger, Tracer } from "effect"

export interface Captured {
  /** Everything logged and traced so far, as text. */
  readonly text: () => string
  readonly lines: ReadonlyArray<string>
  readonly spans: ReadonlyArray<Tracer.NativeSpan>
  /** The layer that captures. */
  readonly layer: Layer.Layer<never>
}

const ofSpan = (span: Tracer.NativeSpan): string =>
  JSON.stringify([
    span.name,
    [...span.attributes],
    span.events.map(([name, , attributes]) => [name, attributes]),
    span.status._tag === "Ended" && Exit.isFailure(span.status.exit)
      ? Cause.pretty(span.status.exit.cause)
      : ""
  ])

export const make: Effect.Effect<Captured> = Effect.sync(() => {
  const lines: Array<string> = []
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span(options) {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const logger = Logger.make((options) => {
    lines.push(Logger.formatJson.log(options), Logger.formatLogFmt.log(options))
  })
  return {
    lines,
    spans,
    text: () => [...lines, ...spans.map(ofSpan)].join("\n"),
    layer: Layer.merge(Logger.layer([logger]), Layer.succeed(Tracer.Tracer, tracer))
  }
})
