/** An `HttpClientResponse` whose body comes from a connection in memory: no promises, and no time but Effect's clock. */
import { Effect, Inspectable, Option, Pipeable, type Schema, Stream } from "effect"
import {
  Cookies,
  type Headers,
  HttpClientError,
  type HttpClientRequest,
  HttpClientResponse,
  HttpIncomingMessage,
  UrlParams
} from "effect/http"
import type { Broken } from "./Network.ts"

type Failure = HttpClientError.HttpClientError

const utf8 = new TextDecoder()

/** What makes up an answer; the stream fails with what the client raises. */
export interface Source {
  readonly url: URL
  readonly status: number
  readonly headers: Headers.Headers
  /** No body at all is not the same as an empty one: `fetch` has nothing to stream then. */
  readonly body: Stream.Stream<Uint8Array, Broken> | undefined
}

export class MemoryResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: typeof HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly remoteAddress = Option.none<string>()
  private readonly source: Source

  constructor(request: HttpClientRequest.HttpClientRequest, source: Source) {
    super()
    this.request = request
    this.source = source
  }

  private failure(cause: unknown): Failure {
    return new HttpClientError.HttpClientError({
      reason: new HttpClientError.DecodeError({ request: this.request, response: this, cause })
    })
  }

  get status(): number {
    return this.source.status
  }

  get url(): string {
    return this.source.url.href
  }

  get headers(): Headers.Headers {
    return this.source.headers
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie(this.headers["set-cookie"] ?? [])
  }

  get stream(): Stream.Stream<Uint8Array, Failure> {
    const { body } = this.source
    return body === undefined
      ? Stream.fail(
        new HttpClientError.HttpClientError({
          reason: new HttpClientError.EmptyBodyError({
            request: this.request,
            response: this,
            description: "can not create stream from empty body"
          })
        })
      )
      : Stream.mapError(body, ({ cause }) => this.failure(cause))
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, Failure> {
    return this.source.body === undefined ? Effect.succeed(new ArrayBuffer(0)) : Stream.mkArrayBuffer(this.stream)
  }

  get text(): Effect.Effect<string, Failure> {
    return Effect.map(this.arrayBuffer, (bytes) => utf8.decode(bytes))
  }

  get json(): Effect.Effect<Schema.Json, Failure> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({
        try: (): Schema.Json => text === "" ? null : JSON.parse(text),
        catch: (cause) => this.failure(cause)
      }))
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, Failure> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<never, Failure> {
    return Effect.fail(this.failure(new Error("A client in memory reads no form data")))
  }

  get upgrade(): Effect.Effect<never, Failure> {
    return Effect.fail(this.failure(new Error("A client in memory has no connection to hand over")))
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
