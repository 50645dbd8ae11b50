/** Keeps the deprecated `access_token` of a query out of the span of an Effect app's server (D8). */
import { Context, Effect, Option, Tracer } from "effect"
import { UrlParams } from "effect/http"

const names = ["access_token"]

const redacted = (key: string, value: unknown): unknown => {
  if (typeof value !== "string") return value
  if (key === "url.full") return UrlParams.redactUrl(value, names)
  return key === "url.query" ? UrlParams.redactUrl(`?${value}`, names).slice(1) : value
}

const shielded = new WeakSet<Tracer.Span>()

/** The server records the URL after every route has ended, and looks for names to redact outside of them. */
const shield = (span: Tracer.Span): void => {
  if (shielded.has(span)) return
  shielded.add(span)
  const attribute = span.attribute.bind(span)
  span.attribute = (key, value) => attribute(key, redacted(key, value))
}

/** A middleware for all requests of a router. */
export const withRedactedSpan = <A, E, R>(httpEffect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    const span = Option.getOrUndefined(Context.getOption(fiber.context, Tracer.ParentSpan))
    if (span?._tag === "Span" && span.kind === "server") shield(span)
    return httpEffect
  })
