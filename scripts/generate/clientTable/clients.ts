/** The clients that are measured, each as it comes, without a hook into its connections. */
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import { type OutgoingResponse, OutgoingTransport } from "@appservice-ping/server/homeserver/OutgoingTransport"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import Undici from "@effect/platform-node/Undici"
import { Effect, Layer, type Scope } from "effect"
import { HttpBody, HttpClient, HttpClientError, HttpClientRequest } from "effect/http"
import * as Http from "node:http"
import * as Https from "node:https"
import type { Cell, Phase, Raised } from "./Cell.ts"

/** Says how far the client has come, to the one who ends it. */
export interface Progress {
  phase: Phase
  /** Whether the client tells how far it has come. */
  isTold: boolean
}

export type Ask = (url: URL, progress: Progress) => Effect.Effect<Cell>

export interface Client {
  readonly name: string
  /** Makes the client, with connections of its own where it can have some. */
  readonly make: Effect.Effect<Ask, never, Scope.Scope>
}

const body = JSON.stringify({ transaction_id: "golden" })

const headers = { "content-type": "application/json" }

const depthMax = 8

const chainOf = (error: unknown): ReadonlyArray<Raised> => {
  const chain: Array<Raised> = []
  for (let next = error; next instanceof Error && chain.length < depthMax; next = next.cause) {
    const code = "code" in next && typeof next.code === "string" ? next.code : undefined
    chain.push({ name: next.name, ...code === undefined ? {} : { code } })
  }
  return chain
}

const raised = (error: unknown, { phase }: Progress): Cell => ({
  result: "error",
  phase,
  errors: chainOf(error),
  kind: ConnectionFailure.fromUnknown(error).kind
})

const answered = (status: number, bytes: number): Cell => ({ result: "answer", status, bytes })

const promised = (progress: Progress, run: (signal: AbortSignal) => Promise<Cell>): Effect.Effect<Cell> =>
  Effect.promise((signal) => run(signal).catch((error: unknown) => raised(error, progress)))

const fetchClient: Client = {
  name: "fetch",
  make: Effect.succeed((url, progress) =>
    promised(progress, async (signal) => {
      const response = await fetch(url, { method: "POST", headers, body, signal })
      progress.phase = "body"
      return answered(response.status, (await response.arrayBuffer()).byteLength)
    })
  )
}

const undiciClient: Client = {
  name: "undici.request",
  make: Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Undici.Agent()),
      (agent) => Effect.promise(() => agent.destroy())
    ),
    (dispatcher): Ask => (url, progress) =>
      promised(progress, async (signal) => {
        const response = await Undici.request(url, { method: "POST", headers, body, signal, dispatcher })
        progress.phase = "body"
        return answered(response.statusCode, (await response.body.arrayBuffer()).byteLength)
      })
  )
}

/** Agents like the global ones, which keep connections, but with none that another exchange has left. */
const agents = Effect.acquireRelease(
  Effect.sync(() => ({ http: new Http.Agent({ keepAlive: true }), https: new Https.Agent({ keepAlive: true }) })),
  ({ http, https }) =>
    Effect.sync(() => {
      http.destroy()
      https.destroy()
    })
)

const nodeClient: Client = {
  name: "node:http",
  make: Effect.map(agents, ({ http, https }): Ask => (url, progress) =>
    Effect.callback((resume) => {
      const fail = (error: Error): void => resume(Effect.succeed(raised(error, progress)))
      const options = { method: "POST", headers: { ...headers, "content-length": body.length } }
      const request = url.protocol === "https:"
        ? Https.request(url, { ...options, agent: https })
        : Http.request(url, { ...options, agent: http })
      request.on("error", fail)
      // What ends without an answer and without an error would be waited for.
      request.on("close", () => {
        if (progress.phase === "head") fail(new Error("neither an answer nor an error"))
      })
      request.on("response", (response) => {
        progress.phase = "body"
        let bytes = 0
        response.on("data", (chunk: Uint8Array) => {
          bytes += chunk.length
        })
        response.on("end", () => resume(Effect.succeed(answered(response.statusCode ?? 0, bytes))))
        response.on("error", fail)
      })
      request.end(body)
      return Effect.sync(() => request.destroy())
    }))
}

const failed = ({ kind, text }: ConnectionFailure.ConnectionFailure): Cell => ({ result: "failure", kind, text })

const transportClient: Client = {
  name: "NodeTransport",
  make: Effect.map(Layer.build(NodeTransport.layer()), (context): Ask => {
    const send = (url: URL): Effect.Effect<OutgoingResponse, ConnectionFailure.ConnectionFailure> =>
      Effect.provideContext(
        Effect.flatMap(
          OutgoingTransport,
          (transport) => transport.send({ url, headers, body, maxBodyBytes: 8 * 1024 * 1024 })
        ),
        context
      )
    return (url, progress) => {
      progress.isTold = false
      return Effect.match(send(url), {
        onFailure: failed,
        onSuccess: (response) => answered(response.status, response.body.length)
      })
    }
  })
}

const reasonOf = (error: unknown): { readonly reason?: string; readonly cause: unknown } =>
  HttpClientError.isHttpClientError(error)
    ? { reason: error.reason._tag, cause: error.reason.cause }
    : { cause: error }

const effectClient = (name: string, layer: Layer.Layer<HttpClient.HttpClient>): Client => ({
  name,
  make: Effect.map(
    Layer.build(layer),
    (context): Ask => (url, progress) =>
      HttpClientRequest.post(url, { body: HttpBody.text(body, "application/json") }).pipe(
        HttpClient.execute,
        Effect.tap(() =>
          Effect.sync(() => {
            progress.phase = "body"
          })
        ),
        Effect.flatMap((response) =>
          Effect.map(response.arrayBuffer, (bytes) => answered(response.status, bytes.byteLength))
        ),
        Effect.catch((error) => {
          const { cause, reason } = reasonOf(error)
          return Effect.succeed<Cell>({
            result: "error",
            phase: progress.phase,
            ...reason === undefined ? {} : { reason },
            errors: chainOf(cause),
            kind: ConnectionFailure.fromUnknown(error).kind
          })
        }),
        Effect.provideContext(context)
      )
  )
})

// As this project's own client asks for; where nothing is said it follows, as `fetch` does.
const overFetch = effectClient(
  "Effect over fetch, redirect: manual",
  Layer.merge(NodeHttpClient.layerFetch, Layer.succeed(NodeHttpClient.RequestInit, { redirect: "manual" }))
)

const overUndici = effectClient("Effect over undici", NodeHttpClient.layerUndici)

/** Every client, but for redirects as it is where nothing is said to it. */
export const clients: ReadonlyArray<Client> = [
  fetchClient,
  undiciClient,
  nodeClient,
  transportClient,
  overFetch,
  overUndici,
  effectClient("Effect over node:http", NodeHttpClient.layerNodeHttp)
]

/** Those that keep their connections. Effect's client over `node:http` does with an agent that says so. */
export const keepingClients: ReadonlyArray<Client> = [
  fetchClient,
  undiciClient,
  nodeClient,
  overFetch,
  overUndici,
  effectClient("Effect over node:http, keepAlive", NodeHttpClient.layerNodeHttpOptions({ keepAlive: true }))
]
