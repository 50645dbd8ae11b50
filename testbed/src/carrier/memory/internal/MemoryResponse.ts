/** The answer to a request of which no byte was carried, as `NodeHttpClient` would give it. */
import { Effect, Inspectable, Option, Pipeable, type Schema, Stream } from "effect"
import {
  Cookies,
  Headers,
  HttpClientError,
  type HttpClientRequest,
  HttpClientResponse,
  HttpIncomingMessage,
  UrlParams
} from "effect/http"
import type { Rendered } from "./answerBytes.ts"

type Failure = HttpClientError.HttpClientError

const encoder = new TextEncoder()

export class MemoryResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: typeof HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly url: string
  readonly status: number
  readonly headers: Headers.Headers
  readonly remoteAddress = Option.none<string>()
  private readonly body: string

  constructor(request: HttpClientRequest.HttpClientRequest, url: URL, answer: Rendered) {
    super()
    this.request = request
    this.url = url.href
    this.status = answer.status
    this.body = answer.body
    const headers: Record<string, string> = {}
    for (const [name, value] of answer.headers) headers[name.toLowerCase()] = value
    this.headers = Headers.fromRecordUnsafe(headers)
  }

  private failure(cause: unknown): Failure {
    return new HttpClientError.HttpClientError({
      reason: new HttpClientError.DecodeError({ request: this.request, response: this, cause })
    })
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie(this.headers["set-cookie"] ?? [])
  }

  get stream(): Stream.Stream<Uint8Array, Failure> {
    return this.body === "" ? Stream.empty : Stream.succeed(encoder.encode(this.body))
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, Failure> {
    return Effect.sync(() => encoder.encode(this.body).buffer)
  }

  get text(): Effect.Effect<string, Failure> {
    return Effect.succeed(this.body)
  }

  get json(): Effect.Effect<Schema.Json, Failure> {
    return Effect.try({
      try: (): Schema.Json => this.body === "" ? null : JSON.parse(this.body),
      catch: (cause) => this.failure(cause)
    })
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, Failure> {
    return Effect.sync(() => UrlParams.fromInput(new URLSearchParams(this.body)))
  }

  get formData(): Effect.Effect<FormData, Failure> {
    return Effect.tryPromise({
      try: () => new Response(this.body, { headers: this.headers }).formData(),
      catch: (cause) => this.failure(cause)
    })
  }

  get upgrade(): Effect.Effect<never, Failure> {
    return Effect.fail(this.failure(new Error("The answer did not switch protocols")))
  }

  override toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }

  pipe() {
    return Pipeable.pipeArguments(this, arguments)
  }
}
