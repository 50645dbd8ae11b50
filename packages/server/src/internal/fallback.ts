/** Answers what no route of an Effect app serves under `/_matrix` (C16, A6). */
import { Effect } from "effect"
import { type HttpRouter, HttpServerError, HttpServerRequest, type HttpServerResponse } from "effect/http"

/** Answers a request that no route matched. */
export type Respond = (
  request: HttpServerRequest.HttpServerRequest
) => Effect.Effect<HttpServerResponse.HttpServerResponse>

export type Side = "appservice" | "homeserver"

// A route `/_matrix/*` would take HEAD from the app's own GET routes, and could not be there twice. So it is one
// middleware for each router, and what identifies a router is what its prefixed views share with it.
const sidesOf = new WeakMap<object, Map<Side, Respond>>()

const isNotFound = (error: unknown): boolean =>
  error instanceof HttpServerError.HttpServerError && error.reason._tag === "RouteNotFound"

/** The path up to the part below `/_matrix`, wherever the app has mounted it. */
const matrixPath = /^[^?]*?\/_matrix(?:\/[^/?]*|(?=\?|$))/

/**
 * The target of a request that no route matched.
 *
 * Mostly none: it may not reach an endpoint all the same, past a prefix of the app. But Effect's router matches no path
 * with malformed percent-encoding, and the contract does (C20).
 */
export const targetOf = (url: string): string => {
  const path = /^[^?]*/.exec(url)?.[0] ?? ""
  try {
    decodeURIComponent(path)
    return "/_matrix"
  } catch {
    return url.slice(Math.max(0, path.indexOf("/_matrix")))
  }
}

const order: { readonly [own in Side]: readonly [Side, Side] } = {
  appservice: ["appservice", "homeserver"],
  homeserver: ["homeserver", "appservice"]
}

const choose = (sides: ReadonlyMap<Side, Respond>, url: string): Respond | undefined => {
  const path = matrixPath.exec(url)?.[0]
  if (path === undefined) return undefined
  const [own, other] = order[path.endsWith("/_matrix/app") ? "appservice" : "homeserver"]
  return sides.get(own) ?? sides.get(other)
}

/** Adds one side; where both are mounted, each answers for its own part of the paths. */
export const add = Effect.fnUntraced(function*(router: HttpRouter.HttpRouter, side: Side, respond: Respond) {
  const known = sidesOf.get(router.addGlobalMiddleware)
  const sides = known ?? new Map<Side, Respond>()
  sides.set(side, respond)
  if (known !== undefined) return
  sidesOf.set(router.addGlobalMiddleware, sides)
  yield* router.addGlobalMiddleware((httpEffect) =>
    Effect.catchIf(
      httpEffect,
      isNotFound,
      (error) =>
        Effect.flatMap(
          HttpServerRequest.HttpServerRequest,
          (request) => choose(sides, request.url)?.(request) ?? Effect.fail(error)
        )
    )
  )
})
