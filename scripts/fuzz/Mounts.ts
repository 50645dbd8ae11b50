/** The places where the two handlers are mounted, each with handlers of its own, and the handlers alone. */
import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import type { Registration } from "@appservice-ping/domain/Registration"
import * as NodeListener from "@appservice-ping/node/NodeListener"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import { BodyError, type Handler } from "@appservice-ping/server/Exchange"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import * as OutgoingTransport from "@appservice-ping/server/homeserver/OutgoingTransport"
import * as HttpMount from "@appservice-ping/server/HttpMount"
import * as MemoryNetwork from "@appservice-ping/testbed/carrier/memory/MemoryNetwork"
import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, Redacted, type Scope } from "effect"
import { HttpRouter } from "effect/http"
import { createServer } from "node:http"
import { connect } from "node:net"
import type { Duplex } from "node:stream"
import { type Input, tokens } from "./Corpus.ts"
import * as Exchange from "./Exchange.ts"
import type { Parsed, ParsedRequest } from "./Reference.ts"
import { type Said, saidOf, type Traits } from "./ServerJudge.ts"

export type Side = "homeserver" | "appservice"

/** Sends an input to a mount; a mount that cannot be asked for it gives nothing. */
export type Send = (input: Input, parsed: Parsed, patience: Exchange.Patience) => Promise<Exchange.Observed | undefined>

export interface Mount extends Traits {
  readonly send: Readonly<Record<Side, Send>>
}

/** Both handlers as every mount has them. */
export interface Handlers {
  readonly homeserver: Handler
  readonly appservice: Handler
}

export const maxHeaderBytes = 16 * 1024

const registration: Registration = {
  id: AppserviceId.make("telegram"),
  url: "http://appservice.test:29300",
  as_token: Redacted.make(tokens.as_token),
  hs_token: Redacted.make(tokens.hs_token),
  sender_localpart: "bot",
  namespaces: { users: [{ regex: "@telegram_.*", exclusive: true }] }
}

/** An appservice that answers every ping at once, so that only the input decides. */
const transport = Layer.succeed(OutgoingTransport.OutgoingTransport, {
  send: () => Effect.succeed({ status: 200, body: Buffer.from("{}") })
})

const layerHomeserver = Homeserver.layer().pipe(
  Layer.provide([
    AppserviceRegistry.layer([registration], { userTokens: [Redacted.make("a-user-0123456789")] }),
    OutgoingPing.layer().pipe(Layer.provide(transport))
  ]),
  Layer.orDie
)

const layerAppservice = Appservice.layer({ registration, onPing: () => Effect.void })

/** Both services, as a mount takes them. */
export interface Services {
  readonly homeserver: Layer.Layer<Homeserver.Homeserver>
  readonly appservice: Layer.Layer<Appservice.Appservice>
}

/** The real ones. */
export const real: Services = { homeserver: layerHomeserver, appservice: layerAppservice }

const makeHandlers = (services: Services): Effect.Effect<Handlers, never, Scope.Scope> =>
  Effect.map(
    Layer.build(Layer.merge(services.homeserver, services.appservice)),
    (context) => ({
      homeserver: Context.get(context, Homeserver.Homeserver).handle,
      appservice: Context.get(context, Appservice.Appservice).handle
    })
  )

const over = (open: () => Duplex): Send => (input, _, patience) => Exchange.run(open(), input, patience)

const overPort = (port: number): Send => over(() => connect({ port, host: "127.0.0.1", noDelay: true }))

const times = { headersTimeout: 4000, requestTimeout: 8000, keepAliveTimeout: 2000 } as const

const nodeListener = Effect.fnUntraced(function*(services: Services) {
  const handlers = yield* makeHandlers(services)
  const listen = (handle: Handler) =>
    Effect.map(
      Effect.orDie(NodeListener.listen(handle, { port: 0, maxHeaderBytes, lingerTimeout: 300, ...times })),
      ({ port }) => overPort(port)
    )
  return {
    name: "NodeListener",
    ownsParser: true,
    ownsAllPaths: true,
    send: { homeserver: yield* listen(handlers.homeserver), appservice: yield* listen(handlers.appservice) }
  }
})

const listenEffect = (routes: Layer.Layer<never, never, HttpRouter.HttpRouter>) =>
  Effect.gen(function*() {
    const server = createServer({
      ...times,
      maxHeaderSize: maxHeaderBytes,
      connectionsCheckingInterval: 50,
      joinDuplicateHeaders: true,
      requireHostHeader: false
    })
    yield* Layer.build(
      HttpRouter.serve(routes, { disableListenLog: true }).pipe(
        Layer.provide(NodeHttpServer.layer(() => server, { port: 0, host: "127.0.0.1", gracefulShutdownTimeout: 100 }))
      )
    )
    yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
    const address = server.address()
    return overPort(typeof address === "object" && address !== null ? address.port : 0)
  }).pipe(Effect.orDie)

const effectApp = Effect.fnUntraced(function*(services: Services) {
  return {
    name: "Effect HTTP app",
    ownsParser: false,
    ownsAllPaths: false,
    send: {
      homeserver: yield* listenEffect(HttpMount.layerHomeserver.pipe(Layer.provide(services.homeserver))),
      appservice: yield* listenEffect(HttpMount.layerAppservice.pipe(Layer.provide(services.appservice)))
    }
  }
})

/** The request of a framework; some that Node's parser takes are none there. */
const webRequest = ({ body, headers, method, target }: ParsedRequest): Request | undefined => {
  try {
    const url = new URL(`http://homeserver.test${target}`)
    // Such a mount never sees a path that its URL is written in another way for.
    if (!target.startsWith("/") || url.pathname + url.search !== target) return undefined
    const hasBody = method !== "GET" && method !== "HEAD" && body.length > 0
    return new Request(url, { method, headers, ...(hasBody ? { body: Buffer.from(body) } : {}) })
  } catch {
    return undefined
  }
}

const bytesOf = async (response: Response): Promise<Uint8Array> => {
  const body = Buffer.from(await response.arrayBuffer())
  const lines = [`HTTP/1.1 ${response.status} Status`]
  for (const [name, value] of response.headers) lines.push(`${name}: ${value}`)
  if (response.status !== 204) lines.push(`content-length: ${body.length}`)
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body])
}

const webSend = ({ handler }: HttpMount.WebHandler): Send => async (_, { requests: [request] }) => {
  const web = request === undefined ? undefined : webRequest(request)
  if (web === undefined) return undefined
  const start = performance.now()
  const bytes = await bytesOf(await handler(web))
  return { bytes, isClosed: true, millis: performance.now() - start }
}

const webHandler = Effect.fnUntraced(function*(services: Services) {
  const context = Layer.succeedContext(yield* Effect.context<never>())
  const make = (handler: () => HttpMount.WebHandler) =>
    Effect.map(
      Effect.acquireRelease(Effect.sync(handler), ({ dispose }) => Effect.promise(dispose)),
      webSend
    )
  return {
    name: "web handler",
    ownsParser: true,
    ownsAllPaths: true,
    send: {
      homeserver: yield* make(() => HttpMount.homeserverWebHandler(Layer.provideMerge(services.homeserver, context))),
      appservice: yield* make(() => HttpMount.appserviceWebHandler(Layer.provideMerge(services.appservice, context)))
    }
  }
})

const memory = Effect.fnUntraced(function*(services: Services) {
  const handlers = yield* makeHandlers(services)
  const place = { homeserver: "homeserver.test", appservice: "appservice.test" } as const
  const network = yield* MemoryNetwork.make([
    { leg: "to_homeserver", url: new URL(`http://${place.homeserver}:8008`), handle: handlers.homeserver },
    { leg: "to_appservice", url: new URL(`http://${place.appservice}:8008`), handle: handlers.appservice }
  ])
  const send = (host: string): Send => async (input, _, patience) => {
    const connection = await new Promise<Duplex>((resolve) => {
      network.connect({ host, port: 8008 }, (__, socket) => resolve(socket))
    })
    return Exchange.run(connection, input, patience)
  }
  return {
    name: "memory",
    ownsParser: false,
    ownsAllPaths: true,
    send: { homeserver: send(place.homeserver), appservice: send(place.appservice) }
  }
})

/** What the handler itself says to a request, with nothing in between. */
export type Ask = (side: Side, request: ParsedRequest) => Promise<Said>

/** Opens every mount of these services until the scope closes. */
export const make = (services: Services): Effect.Effect<ReadonlyArray<Mount>, never, Scope.Scope> =>
  Effect.gen(function*() {
    return [
      yield* nodeListener(services),
      yield* effectApp(services),
      yield* webHandler(services),
      yield* memory(services)
    ]
  })

/** Makes handlers of their own, to be asked for what every mount has to say. */
export const makeAsk: Effect.Effect<Ask, never, Scope.Scope> = Effect.gen(function*() {
  const handlers = yield* makeHandlers(real)
  const run = Effect.runPromiseWith(yield* Effect.context<never>())
  return async (side, { body, headers, method, target }) =>
    saidOf(
      await run(handlers[side]({
        method,
        target,
        header: (name) => headers[name],
        body: (maxBytes) =>
          body.length > maxBytes ? Effect.fail(new BodyError({ reason: "TooLarge" })) : Effect.succeed(body)
      }))
    )
})
