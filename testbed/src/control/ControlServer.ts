/**
 * Serves the control API over a session, on a port of its own that no fault ever touches.
 *
 * @since 0.1.0
 */
import { listeningUrl } from "@appservice-ping/node/ListeningUrl"
import { ListenError, type Listening } from "@appservice-ping/node/NodeListener"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Bytes, Duration, Effect, Layer, Result, type Scope, Stream } from "effect"
import { HttpRouter, HttpServerRequest } from "effect/http"
import { HttpApiBuilder, type HttpApiGroup, HttpApiMiddleware } from "effect/http-api"
import { createServer, type Server } from "node:http"
import * as FileReader from "../file/FileReader.ts"
import * as PlanFile from "../file/PlanFile.ts"
import { ofFile } from "../file/Problem.ts"
import type { Plan } from "../plan/Plan.ts"
import { synonyms } from "../plan/Synonyms.ts"
import { Session } from "../play/Session.ts"
import { ControlApi, ListedProblems, LocalOnly, Refused, Rejected, TooLarge } from "./ControlApi.ts"
import { refusedFor } from "./internal/localOnly.ts"
import * as PlanHolder from "./internal/planHolder.ts"
import * as Surroundings from "./Surroundings.ts"

/**
 * The hosts that may be named, the bound of a request, and the plan in force at the start.
 *
 * @category options
 * @since 0.1.0
 */
export interface HandlerOptions {
  /** How large a plan may be, in bytes. Default: 1 MiB. */
  readonly maxBodyBytes?: number | undefined
  /** Hosts that a request may name beside those of this machine, such as that of a container. Default: none. */
  readonly allowedHosts?: ReadonlyArray<string> | undefined
  /** The plan in force at the start, as if it had been put without a `ttl`. Default: no plan. */
  readonly plan?: Plan | undefined
  /** The certificate authority that clients have to trust, as PEM. Default: empty, where there is no TLS. */
  readonly ca?: string | undefined
  /** The place of the proxy; a plan that cannot work there is refused. Default: plans for both legs are accepted. */
  readonly surroundings?: Surroundings.Surroundings | undefined
}

/**
 * Where to listen, and the bounds of what a client can make the server hold.
 *
 * @category options
 * @since 0.1.0
 */
export interface ServeOptions extends HandlerOptions {
  /** The address or name to listen on. Default: `127.0.0.1`. */
  readonly host?: string | undefined
  /** The port; 0 picks a free one. */
  readonly port: number
  /** How many connections are held at once. Default: 64. */
  readonly maxConnections?: number | undefined
  /** How long a whole request may take to arrive. Default: 10 seconds. */
  readonly requestTimeout?: Duration.Input | undefined
  /** How long running requests may take to end once the scope closes. Default: 1 second. */
  readonly shutdownGrace?: Duration.Input | undefined
}

const defaults = {
  host: "127.0.0.1",
  maxBodyBytes: 1024 * 1024,
  maxConnections: 64,
  requestTimeout: "10 seconds",
  shutdownGrace: "1 second"
} as const

const rejected = (expected: string): Rejected => new Rejected({ problems: [ofFile(expected)] })

/** Stops reading at the bound, whatever length the request said it has. */
const readBody = (
  request: HttpServerRequest.HttpServerRequest,
  maxBytes: number
): Effect.Effect<string, Rejected | TooLarge> =>
  Effect.gen(function*() {
    if (Number(request.headers["content-length"] ?? 0) > maxBytes) return yield* new TooLarge({ maxBytes })
    const chunks: Array<Uint8Array> = []
    let length = 0
    yield* Stream.runForEach(request.stream, (chunk) => {
      length += chunk.length
      if (length > maxBytes) return Effect.fail(new TooLarge({ maxBytes }))
      chunks.push(chunk)
      return Effect.void
    }).pipe(Effect.catchTag("HttpServerError", () => Effect.fail(rejected("a whole request body"))))
    return yield* Effect.try({
      try: () => new TextDecoder("utf-8", { fatal: true }).decode(Bytes.concat(chunks)),
      catch: () => rejected("text in UTF-8")
    })
  })

const decodePlan = (text: string, maxBytes: number) =>
  Effect.fromResult(
    Result.mapError(
      PlanFile.fromText(text, { limits: { maxFileBytes: maxBytes } }),
      ({ problems }) => new Rejected({ problems })
    )
  )

const layerMiddleware = (allowedHosts: ReadonlyArray<string>): Layer.Layer<LocalOnly | ListedProblems> =>
  Layer.merge(
    Layer.succeed(
      LocalOnly,
      LocalOnly.of((httpEffect) =>
        Effect.gen(function*() {
          const { headers } = yield* HttpServerRequest.HttpServerRequest
          const header = refusedFor(headers, allowedHosts)
          return header === undefined ? yield* httpEffect : yield* new Refused({ header })
        })
      )
    ),
    HttpApiMiddleware.layerSchemaErrorTransform(ListedProblems, (error) =>
      error.kind === "Query"
        ? Effect.fail(new Rejected({ problems: FileReader.ofIssue(error.cause.issue, { synonyms }) }))
        : Effect.fail(error))
  )

/**
 * Layer that answers the requests of the contract: functions over the session, without a socket.
 *
 * **Details**
 *
 * The plan that a request puts in force heals when this layer's scope closes, at the latest.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerHandlers = (
  options?: HandlerOptions
): Layer.Layer<HttpApiGroup.Service<"ControlApi", "control">, never, Session> => {
  const maxBodyBytes = options?.maxBodyBytes ?? defaults.maxBodyBytes
  return HttpApiBuilder.group(
    ControlApi,
    "control",
    Effect.fnUntraced(function*(handlers) {
      const session = yield* Session
      const holder = yield* PlanHolder.make(session)
      if (options?.plan !== undefined) yield* holder.put(options.plan, undefined)
      const { surroundings } = options ?? {}
      const possible = (plan: Plan) => {
        const [first, ...others] = surroundings === undefined ? [] : Surroundings.problems(plan, surroundings)
        return first === undefined
          ? Effect.succeed(plan)
          : Effect.fail(new Rejected({ problems: [first, ...others] }))
      }
      return handlers
        .handleRaw("putPlan", ({ query, request }) =>
          Effect.gen(function*() {
            const text = yield* readBody(request, maxBodyBytes)
            const plan = yield* Effect.flatMap(decodePlan(text, maxBodyBytes), possible)
            return yield* holder.put(plan, query.ttl)
          }))
        .handle("getPlan", () => holder.inForce)
        .handle("deletePlan", () => holder.heal)
        .handle("deleteConnections", () => session.release("all"))
        .handle("getCa", () => Effect.succeed(options?.ca ?? ""))
        .handle("getReport", () => holder.report)
        .handle(
          "getJournal",
          ({ query }) =>
            Effect.map(
              session.journal,
              (entries) => Stream.fromIterable(entries.filter(({ n }) => n > (query.since ?? 0)))
            )
        )
        .handle("reset", () => session.reset)
        .handle("getHealth", () => Effect.succeed({ status: "ok" as const }))
    })
  ).pipe(Layer.provide(layerMiddleware(options?.allowedHosts ?? [])))
}

const millis = (input: Duration.Input): number =>
  Math.min(Math.ceil(Duration.toMillis(Duration.fromInputUnsafe(input))), 2 ** 31 - 1)

const makeServer = (options: ServeOptions): Server => {
  const requestTimeout = millis(options.requestTimeout ?? defaults.requestTimeout)
  const server = createServer({
    maxHeaderSize: 16 * 1024,
    headersTimeout: requestTimeout,
    requestTimeout,
    connectionsCheckingInterval: Math.min(1000, Math.max(20, Math.ceil(requestTimeout / 10)))
  })
  server.maxConnections = options.maxConnections ?? defaults.maxConnections
  return server
}

/** Runs on real time: sockets are real, and a test clock that nobody moves must not hold up the end of a scope. */
const stop = (server: Server, graceMillis: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMillis)
    server.close(() => {
      clearTimeout(timer)
      resume(Effect.void)
    })
  })

/**
 * Serves the control API until the scope closes, and returns its address; then the plan that it put in force heals.
 *
 * **Details**
 *
 * It listens on this machine only, where nothing else is said. A request that a browser sends is refused, and so is one
 * whose `Host` is neither this machine nor an allowed one: no web page can break what is under test.
 *
 * @category constructors
 * @since 0.1.0
 */
export const serve = (options: ServeOptions): Effect.Effect<Listening, ListenError, Session | Scope.Scope> =>
  Effect.gen(function*() {
    const host = options.host ?? defaults.host
    // Node throws this, and takes an empty name for all addresses.
    const isPort = Number.isInteger(options.port) && options.port >= 0 && options.port <= 65_535
    if (!isPort) return yield* ListenError.fromUnknown(host, options.port, { code: "ERR_SOCKET_BAD_PORT" })
    if (host === "") return yield* ListenError.fromUnknown(host, options.port, { code: "ENOTFOUND" })
    const app = yield* HttpRouter.toHttpEffect(
      HttpApiBuilder.layer(ControlApi).pipe(
        Layer.provide(layerHandlers(options)),
        Layer.provide(NodeHttpServer.layerHttpServices)
      )
    )
    const nodeServer = makeServer(options)
    const server = yield* NodeHttpServer.make(() => nodeServer, { host, port: options.port }).pipe(
      Effect.mapError(({ cause }) => ListenError.fromUnknown(host, options.port, cause))
    )
    yield* server.serve(app)
    // Added last, so that it runs first: Node's server waits for its connections without a bound.
    yield* Effect.addFinalizer(() => stop(nodeServer, millis(options.shutdownGrace ?? defaults.shutdownGrace)))
    const address = nodeServer.address()
    const port = typeof address === "object" && address !== null ? address.port : options.port
    return { url: listeningUrl(host, port), host, port }
  })
