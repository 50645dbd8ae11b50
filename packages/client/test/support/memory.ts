/** A homeserver in memory, so that TestClock owns all of the time. */
import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import { PingError } from "@appservice-ping/domain/PingError"
import { TransportError } from "@appservice-ping/domain/TransportError"
import { Effect, Redacted, Schema } from "effect"
import { HttpClient, HttpClientError, type HttpClientRequest, HttpClientResponse } from "effect/http"

/** Long and unlike anything else, so that finding it somewhere means that it leaked. */
export const asToken = "as-token-canary/5uWkq+x="

export const registration = { id: AppserviceId.make("irc bridge"), as_token: Redacted.make(asToken) }

export const homeserver = new URL("https://matrix.example")

/** The endpoint as errors show it. */
export const endpoint = "https://matrix.example/_matrix/client/v1/appservice/irc%20bridge/ping"

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string | undefined
}

const bodyOf = (request: HttpClientRequest.HttpClientRequest): string | undefined =>
  request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : undefined

/** An answer, or what the HTTP client raises instead of one. */
export type Reaction = Response | { readonly raises: unknown }

/** Keeps every request and reacts to it; `nth` counts from 0. */
export const memory = (react: (received: Received, nth: number) => Effect.Effect<Reaction>) => {
  const received: Array<Received> = []
  const client = HttpClient.make((request, url) => {
    const one = { method: request.method, url: url.href, headers: { ...request.headers }, body: bodyOf(request) }
    return Effect.flatMap(
      Effect.suspend(() => react(one, received.push(one) - 1)),
      (reaction) =>
        "raises" in reaction
          ? Effect.fail(
            new HttpClientError.HttpClientError({
              reason: new HttpClientError.TransportError({ request, cause: reaction.raises })
            })
          )
          : Effect.succeed(HttpClientResponse.fromWeb(request, reaction))
    )
  })
  return { client, received, provide: Effect.provideService(HttpClient.HttpClient, client) }
}

type Headers = { readonly [name: string]: string }

/** The same answer to every request; no body for `null`. */
export const answering = (status: number, body: BodyInit | null, headers: Headers = {}) =>
  memory(() => Effect.sync(() => new Response(body, { status, headers })))

/** The same JSON answer to every request. */
export const answeringJson = (status: number, body: unknown, headers: Headers = {}) =>
  answering(status, JSON.stringify(body), { "content-type": "application/json", ...headers })

/** An error as plain data, so that a comparison sees every field. */
export const plain = Schema.encodeEffect(Schema.Union([PingError, TransportError]))
