/** The clients that wait for an answer: the ping over every `HttpClient`, and the homeserver's call over every transport. */
import * as Ping from "@appservice-ping/client/Ping"
import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import * as OutgoingTransport from "@appservice-ping/server/homeserver/OutgoingTransport"
import { NodeHttpClient } from "@effect/platform-node"
import { Context, Effect, type Exit, Layer, Redacted, type Scope } from "effect"
import { FetchHttpClient, type HttpClient } from "effect/http"
import { type Input, tokens } from "./Corpus.ts"
import * as RawServer from "./RawServer.ts"

/** What became of one call. */
export interface Called {
  readonly exit: Exit.Exit<unknown, unknown>
  readonly millis: number
  /** How many bytes of the answer the client let in, in bytes. */
  readonly readBytes: number
}

export interface Client {
  readonly name: string
  readonly call: (input: Input) => Promise<Called>
}

/** The deadline of each call, in milliseconds. */
export const timeoutMillis = 400

const httpClients = {
  "node:http": NodeHttpClient.layerNodeHttp,
  undici: NodeHttpClient.layerUndici,
  fetch: FetchHttpClient.layer
} as const

const registration = {
  id: AppserviceId.make("telegram"),
  as_token: Redacted.make(tokens.as_token),
  hs_token: Redacted.make(tokens.hs_token)
}

type Failing = Effect.Effect<unknown, unknown>

const target = (url: URL) => ({
  url: url.href,
  hsToken: registration.hs_token,
  asToken: registration.as_token,
  transactionId: "mx"
})

/** Makes the client's call to a url; both legs take one. */
const calls: Effect.Effect<Readonly<Record<string, (url: URL) => Failing>>, never, Scope.Scope> = Effect.gen(
  function*() {
    const made: Record<string, (url: URL) => Failing> = {}
    const addOutgoing = (name: string, { send }: OutgoingPing.OutgoingPing["Service"]): void => {
      made[`OutgoingPing over ${name}`] = (url) => send(target(url))
    }
    const outgoing = (transport: Layer.Layer<OutgoingTransport.OutgoingTransport>) =>
      Effect.map(
        Layer.build(OutgoingPing.layer({ timeout: timeoutMillis }).pipe(Layer.provide(transport))),
        (context) => Context.get(context, OutgoingPing.OutgoingPing)
      )
    addOutgoing("NodeTransport", yield* outgoing(NodeTransport.layer()))
    for (const [name, layer] of Object.entries<Layer.Layer<HttpClient.HttpClient>>(httpClients)) {
      const context = yield* Layer.build(layer)
      made[`Ping over ${name}`] = (homeserver) =>
        Ping.ping({ homeserver, registration, transactionId: "mx", timeout: timeoutMillis }).pipe(
          Effect.provideContext(context)
        )
      addOutgoing(name, yield* outgoing(OutgoingTransport.layer.pipe(Layer.provide(Layer.succeedContext(context)))))
    }
    return made
  }
)

/** Opens the server that answers, and makes every client of it. */
export const make: Effect.Effect<ReadonlyArray<Client>, never, Scope.Scope> = Effect.gen(function*() {
  const server = yield* RawServer.make
  const made = yield* calls
  const run = Effect.runPromiseExitWith(yield* Effect.context<never>())
  return Object.entries(made).map(([name, call]): Client => ({
    name,
    call: async (input) => {
      const { done, url } = server.expect(input)
      const start = performance.now()
      const exit = await run(call(url))
      const millis = performance.now() - start
      return { exit, millis, readBytes: done() }
    }
  }))
})
