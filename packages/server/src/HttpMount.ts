/**
 * Mounts a handler where HTTP comes from: an Effect HTTP app, or anything that speaks web-standard requests.
 *
 * @since 0.1.0
 */
import { AccountApi } from "@appservice-ping/domain/AccountApi"
import type { Answer } from "@appservice-ping/domain/Answer"
import { AppserviceApi } from "@appservice-ping/domain/AppserviceApi"
import * as Bound from "@appservice-ping/domain/Bound"
import * as BoundedBody from "@appservice-ping/domain/BoundedBody"
import { GetVersions, HomeserverApi } from "@appservice-ping/domain/HomeserverApi"
import { Context, type Duration, Effect, Layer, ManagedRuntime, Stream } from "effect"
import { HttpRouter, type HttpServerRequest, HttpServerResponse, UrlParams } from "effect/http"
import { Appservice } from "./appservice/Appservice.ts"
import { BodyError, type Handler, type ServerRequest, total } from "./Exchange.ts"
import { Homeserver } from "./homeserver/Homeserver.ts"
import * as Fallback from "./internal/fallback.ts"
import { withRedactedSpan } from "./internal/redactedSpan.ts"
import * as Routes from "./internal/routes.ts"

/**
 * How long the body of a request may take to arrive behind an Effect app and a web-standard handler; then it is answered
 * 408.
 *
 * **Details**
 *
 * Default: 30 seconds. {@link "node/NodeListener"} has a bound of its own.
 *
 * @category references
 * @since 0.1.0
 */
export const BodyTimeout = Context.Reference<Duration.Input>("@appservice-ping/server/HttpMount/BodyTimeout", {
  defaultValue: () => "30 seconds"
})

/** The length that a body is said to have; it may have none, and an aborted one has less. */
const declaredLength = (contentLength: string | undefined): number | undefined =>
  contentLength === undefined ? undefined : Number(contentLength)

const readStream = <E>(
  stream: Stream.Stream<Uint8Array, E>,
  { contentLength, maxBytes }: { readonly contentLength: string | undefined; readonly maxBytes: number }
): Effect.Effect<Uint8Array, BodyError> => {
  const declared = declaredLength(contentLength)
  if (declared !== undefined && declared > maxBytes) return Effect.fail(new BodyError({ reason: "TooLarge" }))
  return Effect.flatMap(BodyTimeout, (timeout) =>
    BoundedBody.readWhole(stream, maxBytes).pipe(
      Effect.mapError(
        (error) => new BodyError({ reason: error instanceof BoundedBody.BodyTooLarge ? "TooLarge" : "Aborted" })
      ),
      Effect.timeoutOrElse({
        duration: Bound.durationUnsafe("BodyTimeout", timeout, { infinite: true }),
        orElse: () => new BodyError({ reason: "TooSlow" })
      }),
      // Some servers end the stream of a request that its client aborts as if it were whole.
      Effect.filterOrFail(
        (bytes) => declared === undefined || bytes.length >= declared,
        () => new BodyError({ reason: "Aborted" })
      )
    ))
}

/** A web-standard request without a body has none to stream, which Effect's server reports as an error. */
const hasNoBody = (source: object): boolean => "body" in source && source.body === null

/**
 * Takes the error of a request that its client aborts: Node raises it a turn later, when the reader of the body may have
 * stopped to listen, and an error that nobody listens for ends the process.
 */
const listenForErrors = (source: object): void => {
  if ("on" in source && typeof source.on === "function") source.on("error", () => {})
}

const fromEffectRequest = (request: HttpServerRequest.HttpServerRequest): ServerRequest => ({
  method: request.method,
  // Not the original URL: that one is put together from the Host header, which a client chooses, and it still has the
  // prefix that the app may have mounted the routes under.
  target: request.url,
  header: (name) => request.headers[name],
  body: (maxBytes) => {
    if (hasNoBody(request.source)) return Effect.succeed(new Uint8Array())
    listenForErrors(request.source)
    return readStream(request.stream, { contentLength: request.headers["content-length"], maxBytes })
  }
})

const toEffectResponse = (answer: Answer): HttpServerResponse.HttpServerResponse =>
  answer.body === ""
    ? HttpServerResponse.empty({ status: answer.status, headers: answer.headers })
    : HttpServerResponse.text(answer.body, {
      status: answer.status,
      headers: answer.headers,
      contentType: "application/json"
    })

/**
 * The part of a contract's path that no parameter is in, as a wildcard: ids are matched by the contract alone, so
 * that no limit or decoding of the router's own gets in between (C20).
 */
const wildcard = (path: Routes.Path): Routes.Path => {
  const parameter = path.indexOf("/:")
  return parameter === -1 ? path : `/${path.slice(1, parameter)}/*`
}

/**
 * Layer that keeps the deprecated `access_token` of a query out of the spans of the app's HTTP server (D8).
 *
 * **When to use**
 *
 * The mounts redact the attributes of the server's span by themselves. What else of an app records a URL, such as a
 * middleware of its own or the error of a span that failed with 5xx, looks these names up: provide this layer to the
 * whole of such an app.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerRedactedNames: Layer.Layer<never> = Layer.effect(
  UrlParams.CurrentRedactedNames,
  Effect.map(UrlParams.CurrentRedactedNames, (names) => [...names, "access_token"])
)

const mount = <Id>(
  service: Context.Key<Id, { readonly handle: Handler }>,
  paths: ReadonlyArray<Routes.Path>,
  fallback?: Fallback.Side
): Layer.Layer<never, never, Id | HttpRouter.HttpRouter> =>
  HttpRouter.use(Effect.fnUntraced(function*(router) {
    const handle = total((yield* service).handle)
    yield* router.addGlobalMiddleware(withRedactedSpan)
    const respond = (request: ServerRequest) => Effect.map(handle(request), toEffectResponse)
    for (const path of new Set(paths.map(wildcard))) {
      yield* router.add("*", path, (request) => respond(fromEffectRequest(request)))
    }
    if (fallback === undefined) return
    yield* Fallback.add(
      router,
      fallback,
      (request) => respond({ ...fromEffectRequest(request), target: Fallback.targetOf(request.url) })
    )
  }))

const pingPaths = Routes.fromApi(HomeserverApi).paths.filter((path) => path !== GetVersions.path)

/**
 * Layer that adds the homeserver's endpoints to the app's `HttpRouter`, and leaves its other routes alone.
 *
 * **Details**
 *
 * Besides the ping and `/versions`, these are `/register` and `/account/whoami`, which bridges ask before they ping
 * (D12). What no route of the app serves under `/_matrix` is answered 404 `M_UNRECOGNIZED` (C16).
 *
 * @see {@link layerHomeserverPing} for an app that is a homeserver already
 * @category layers
 * @since 0.1.0
 */
export const layerHomeserver: Layer.Layer<never, never, Homeserver | HttpRouter.HttpRouter> = mount(
  Homeserver,
  [...Routes.fromApi(HomeserverApi).paths, ...Routes.fromApi(AccountApi).paths],
  "homeserver"
)

/**
 * Layer that adds the ping alone, for a homeserver that has its own `/versions`, `/register` and `/account/whoami`.
 *
 * @see {@link layerHomeserver} for all of it
 * @category layers
 * @since 0.1.0
 */
export const layerHomeserverPing: Layer.Layer<never, never, Homeserver | HttpRouter.HttpRouter> = mount(
  Homeserver,
  pingPaths
)

/**
 * Layer that adds the appservice's endpoints to the app's `HttpRouter`, and leaves its other routes alone.
 *
 * **Details**
 *
 * What no route of the app serves under `/_matrix` is answered 404 `M_UNRECOGNIZED` (A6).
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAppservice: Layer.Layer<never, never, Appservice | HttpRouter.HttpRouter> = mount(
  Appservice,
  Routes.fromApi(AppserviceApi).paths,
  "appservice"
)

const readWebBody = (request: Request, maxBytes: number): Effect.Effect<Uint8Array, BodyError> => {
  const { body } = request
  if (request.bodyUsed) {
    return Effect.die(
      new Error(
        "the body of the request was read before it came to this handler; mount the handler before any body parser"
      )
    )
  }
  return body === null
    ? Effect.succeed(new Uint8Array())
    : readStream(Stream.fromReadableStream({ evaluate: () => body, onError: () => "Aborted" as const }), {
      contentLength: request.headers.get("content-length") ?? undefined,
      maxBytes
    })
}

const fromWebRequest = (request: Request): ServerRequest => {
  const url = new URL(request.url)
  return {
    method: request.method,
    target: url.pathname + url.search,
    header: (name) => request.headers.get(name) ?? undefined,
    body: (maxBytes) => readWebBody(request, maxBytes)
  }
}

const headersOf = (answer: Answer): Record<string, string> =>
  Object.fromEntries(
    Object.entries(answer.headers).flatMap(([name, value]) => value === undefined ? [] : [[name, value]])
  )

const toWebResponse = (request: Request, answer: Answer): Response =>
  new Response(answer.body === "" || request.method === "HEAD" ? null : answer.body, {
    status: answer.status,
    headers: headersOf(answer)
  })

/**
 * A web-standard handler, and the way to release what it holds.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebHandler {
  /** Answers a request; a request that is aborted rejects, as `fetch` does. */
  readonly handler: (request: Request) => Promise<Response>
  /** Releases the layer; later requests reject. */
  readonly dispose: () => Promise<void>
}

const toWebHandler = <Id, E>(
  service: Context.Key<Id, { readonly handle: Handler }>,
  layer: Layer.Layer<Id, E>
): WebHandler => {
  const runtime = ManagedRuntime.make(layer)
  const handler = Effect.map(service, ({ handle }) => total(handle))
  return {
    handler: (request) =>
      runtime.runPromise(
        Effect.flatMap(handler, (handle) =>
          Effect.map(handle(fromWebRequest(request)), (answer) => toWebResponse(request, answer))),
        { signal: request.signal }
      ),
    dispose: () => runtime.dispose()
  }
}

/**
 * Makes a web-standard handler of the homeserver's side, for Hono, Express, Bun, Deno or a worker.
 *
 * **Details**
 *
 * A layer that fails to build, such as a registry with two equal ids, rejects the first request with its error.
 *
 * @category constructors
 * @since 0.1.0
 */
export const homeserverWebHandler = <E>(layer: Layer.Layer<Homeserver, E>): WebHandler =>
  toWebHandler(Homeserver, layer)

/**
 * Makes a web-standard handler of the appservice's side, for Hono, Express, Bun, Deno or a worker.
 *
 * @category constructors
 * @since 0.1.0
 */
export const appserviceWebHandler = <E>(layer: Layer.Layer<Appservice, E>): WebHandler =>
  toWebHandler(Appservice, layer)
