/** Spans as they would be exported. */
import { Exit, Layer, Tracer } from "effect"

/** Keeps every span. */
export const recorder = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { spans, layer: Layer.succeed(Tracer.Tracer, tracer) }
}

/** Name, attributes, and the name of the span above. */
export const shown = (span: Tracer.NativeSpan) => ({
  name: span.name,
  attributes: Object.fromEntries(span.attributes),
  parent: span.parent._tag === "Some" && span.parent.value._tag === "Span" ? span.parent.value.name : undefined,
  succeeded: span.status._tag === "Ended" && Exit.isSuccess(span.status.exit)
})
