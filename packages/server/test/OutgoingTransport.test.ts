import * as OutgoingTransport from "@appservice-ping/server/homeserver/OutgoingTransport"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Tracer } from "effect"
import { FetchHttpClient, HttpClient, HttpClientError } from "effect/http"

const request: OutgoingTransport.OutgoingRequest = {
  url: new URL("http://bridge.test:29317/_matrix/app/v1/ping?access_token=secret"),
  headers: { authorization: "Bearer secret", "content-type": "application/json" },
  body: "{\"transaction_id\":\"ü\"}",
  maxBodyBytes: 10
}

type Fetch = typeof globalThis.fetch

/** The transport over `fetch`, which is a function of the test here. */
const transportOf = (fetch: Fetch, init?: RequestInit) =>
  Effect.map(
    Layer.build(OutgoingTransport.layer.pipe(
      Layer.provide(FetchHttpClient.layer),
      Layer.provide(Layer.succeed(FetchHttpClient.Fetch, fetch)),
      Layer.provide(init === undefined ? Layer.empty : Layer.succeed(FetchHttpClient.RequestInit, init))
    )),
    (context) => Context.get(context, OutgoingTransport.OutgoingTransport)
  )

const text = ({ body }: { readonly body: Uint8Array }): string => new TextDecoder().decode(body)

describe("OutgoingTransport", () => {
  it.effect("A1 hands over method, URL, headers and body", () =>
    Effect.gen(function*() {
      const calls: Array<Request> = []
      const transport = yield* transportOf(async (input, init) => {
        calls.push(new Request(input, init))
        return new Response("{}")
      })
      assert.deepInclude(yield* transport.send(request), { status: 200 })
      const [call] = calls
      assert.strictEqual(calls.length, 1)
      assert.strictEqual(call?.method, "POST")
      assert.strictEqual(call?.url, request.url.href)
      assert.strictEqual(call?.headers.get("authorization"), "Bearer secret")
      assert.strictEqual(call?.headers.get("content-type"), "application/json")
      assert.strictEqual(call?.headers.get("connection"), "close")
      assert.strictEqual(yield* Effect.promise(() => call?.text() ?? Promise.resolve("")), request.body)
    }))

  it.effect("D1 tells fetch not to follow redirects, and keeps what else the app has told it", () =>
    Effect.gen(function*() {
      const inits: Array<RequestInit | undefined> = []
      const transport = yield* transportOf(async (_, init) => {
        inits.push(init)
        return new Response(null, { status: 302, headers: { location: "http://elsewhere.test/" } })
      }, { redirect: "follow", credentials: "include", cache: "no-store" })
      assert.strictEqual((yield* transport.send(request)).status, 302)
      assert.deepInclude(inits[0], { redirect: "manual", credentials: "include", cache: "no-store" })
      assert.strictEqual(inits.length, 1)
    }))

  it.effect("D2 and C10 take an answer that cannot have a body", () =>
    Effect.gen(function*() {
      for (const status of [204, 205, 304]) {
        const transport = yield* transportOf(async () => new Response(null, { status }))
        const answer = yield* transport.send(request)
        assert.strictEqual(answer.status, status)
        assert.strictEqual(text(answer), "")
      }
    }))

  it.effect("D4 stops at the bound and cancels the rest", () =>
    Effect.gen(function*() {
      for (const size of [1, 3, 10, 11, 4096]) {
        let given = 0
        let cancelled = 0
        const body = new ReadableStream<Uint8Array>({
          pull(controller) {
            given += size
            controller.enqueue(new Uint8Array(size).fill(0x78))
          },
          cancel() {
            cancelled++
          }
        })
        const transport = yield* transportOf(async () => new Response(body))
        assert.strictEqual(text(yield* transport.send(request)), "x".repeat(10))
        assert.strictEqual(cancelled, 1)
        // The bound, and no more than the stream's own queue and one chunk beyond it.
        assert.isBelow(given, 10 + 3 * size)
      }
    }))

  it.effect("D3 fails where the body does not arrive in full", () =>
    Effect.gen(function*() {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new Uint8Array(3))
        },
        pull(controller) {
          controller.error(Object.assign(new TypeError("terminated"), {
            cause: Object.assign(new Error("other side closed"), { code: "UND_ERR_SOCKET" })
          }))
        }
      })
      const transport = yield* transportOf(async () => new Response(body))
      const failure = yield* Effect.flip(transport.send(request))
      assert.strictEqual(failure.kind, "closed")
    }))

  it.effect("C11 tells why a connection failed, and repeats nothing of the client's own text", () =>
    Effect.gen(function*() {
      for (
        const [kind, error] of [
          ["refused", Object.assign(new Error("connect secret"), { code: "ECONNREFUSED" })],
          ["dns", Object.assign(new Error("getaddrinfo secret"), { code: "ENOTFOUND" })],
          ["unknown", new Error("secret")],
          ["unknown", "secret"]
        ] as const
      ) {
        const transport = yield* transportOf(() => Promise.reject(new TypeError("fetch failed", { cause: error })))
        const failure = yield* Effect.flip(transport.send(request))
        assert.strictEqual(failure.kind, kind)
        assert.notInclude(JSON.stringify(failure), "secret")
      }
    }))

  it.effect("aborts the request when it is interrupted, before and after the head", () =>
    Effect.gen(function*() {
      for (const withHead of [false, true]) {
        const started = yield* Deferred.make<AbortSignal>()
        const cancelled = yield* Deferred.make<void>()
        const transport = yield* transportOf((_, init) => {
          const { signal } = init ?? {}
          if (signal instanceof AbortSignal) Deferred.doneUnsafe(started, Effect.succeed(signal))
          return withHead
            ? Promise.resolve(
              new Response(
                new ReadableStream({
                  cancel() {
                    Deferred.doneUnsafe(cancelled, Effect.void)
                  }
                })
              )
            )
            : new Promise(() => {})
        })
        const fiber = yield* Effect.forkChild(transport.send(request))
        const signal = yield* Deferred.await(started)
        for (let i = 0; i < 10; i++) yield* Effect.promise(() => Promise.resolve())
        assert.isFalse(signal.aborted)
        yield* Fiber.interrupt(fiber)
        if (withHead) yield* Deferred.await(cancelled)
        else assert.isTrue(signal.aborted)
      }
    }))

  it.effect("D8 leaves no span and no trace header, where the URL would stand", () =>
    Effect.gen(function*() {
      const spans: Array<Tracer.Span> = []
      const headers: Array<Headers> = []
      const tracer = Tracer.make({
        span(options) {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const transport = yield* transportOf(async (input, init) => {
        headers.push(new Request(input, init).headers)
        return new Response("{}")
      })
      yield* transport.send(request).pipe(Effect.withSpan("test"), Effect.provideService(Tracer.Tracer, tracer))
      assert.deepStrictEqual(spans.map((span) => span.name), ["test"])
      assert.isNull(headers[0]?.get("traceparent") ?? null)
      assert.isNull(headers[0]?.get("b3") ?? null)
    }))

  it.effect("sends with any other client, and maps its errors alike", () =>
    Effect.gen(function*() {
      const client = HttpClient.make((sent) =>
        Effect.fail(
          new HttpClientError.HttpClientError({
            reason: new HttpClientError.TransportError({
              request: sent,
              cause: Object.assign(new Error("secret"), { code: "ECONNRESET" })
            })
          })
        )
      )
      const context = yield* Layer.build(
        OutgoingTransport.layer.pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client)))
      )
      const failure = yield* Effect.flip(Context.get(context, OutgoingTransport.OutgoingTransport).send(request))
      assert.strictEqual(failure.kind, "reset")
    }))
})
