/** Keeps the deprecated `access_token` of a query out of the span of an Effect app's server (D8). */
import * as Token from "@appservice-ping/domain/Token"
import { Context, Effect, Option, Tracer } from "effect"
import { HttpServerRequest, UrlParams } from "effect/http"

type Names = ReadonlyArray<string | RegExp>

/** Whoever sends a token sends it in the wrong parameter too, so a path of Matrix keeps the names of its query alone. */
const namesOf = (url: string): Names => url.includes("/_matrix/") ? [/(?:)/] : ["access_token"]

const redacted = (key: string, value: unknown, names: Names): unknown => {
  if (typeof value !== "string") return value
  if (key === "url.path") return Token.scrub(value, [])
  if (key === "url.full") return Token.scrub(UrlParams.redactUrl(value, names), [])
  return key === "url.query" ? UrlParams.redactUrl(`?${value}`, names).slice(1) : value
}

const shielded = new WeakSet<Tracer.Span>()

/** The server records the URL after every route has ended, and looks for names to redact outside of them. */
const shield = (span: Tracer.Span, names: Names): void => {
  if (shielded.has(span)) return
  shielded.add(span)
  const attribute = span.attribute.bind(span)
  span.attribute = (key, value) => attribute(key, redacted(key, value, names))
}

/** A middleware for all requests of a router. */
export const withRedactedSpan = <A, E, R>(httpEffect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    const span = Option.getOrUndefined(Context.getOption(fiber.context, Tracer.ParentSpan))
    const request = Option.getOrUndefined(Context.getOption(fiber.context, HttpServerRequest.HttpServerRequest))
    if (span?._tag === "Span" && span.kind === "server") shield(span, namesOf(request?.url ?? ""))
    return httpEffect
  })
