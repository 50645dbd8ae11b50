/**
 * A homeserver and an appservice, with faults on the way from the one to the other.
 *
 * @since 0.1.0
 */
import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import { type Registration, urlOf } from "@appservice-ping/domain/Registration"
import { Appservice, type ReceivedPing } from "@appservice-ping/server/appservice/Appservice"
import type { Handler } from "@appservice-ping/server/Exchange"
import { under } from "@appservice-ping/server/Exchange"
import { AppserviceRegistry } from "@appservice-ping/server/homeserver/AppserviceRegistry"
import { corsHeaders, Homeserver, type HomeserverOptions } from "@appservice-ping/server/homeserver/Homeserver"
import { OutgoingLeg } from "@appservice-ping/server/homeserver/OutgoingLeg"
import { OutgoingTransport } from "@appservice-ping/server/homeserver/OutgoingTransport"
import { NodeHttpClient } from "@effect/platform-node"
import { Context, Duration, Effect, Layer, Redacted, Ref, type Scope } from "effect"
import { HttpClient } from "effect/http"
import * as Expected from "./Expected.ts"
import type { Fault } from "./Fault.ts"
import * as Faults from "./Faults.ts"
import * as MemoryHttpClient from "./memory/MemoryHttpClient.ts"
import * as NodeListener from "./node/NodeListener.ts"
import * as NodeTransport from "./node/NodeTransport.ts"
import * as WireListener from "./wire/WireListener.ts"

/**
 * The registration of the testbed's appservice, for tests that do not bring their own.
 *
 * @category constants
 * @since 0.1.0
 */
export const registration: Registration = {
  id: AppserviceId.make("testbed"),
  url: "http://appservice.test:29300",
  as_token: Redacted.make("u8Zt3vQyKX0hJmE5sPwRb1NdLcGf7aTiYo2WqVnDxMk", { label: "token" }),
  hs_token: Redacted.make("e4HkSz9rUgCj6BpXoAyT2mQvFw8LdNi1ZcRxYt7GsEb", { label: "token" }),
  sender_localpart: "testbed",
  namespaces: { users: [], rooms: [], aliases: [] }
}

/**
 * Options of the testbed.
 *
 * @category options
 * @since 0.1.0
 */
export interface TestbedOptions {
  /**
   * The registration of the appservice. Default: {@link registration}.
   *
   * On sockets, scheme, host and port of its `url` become those of the testbed's listener, and its path stays. A `url`
   * that is null or empty stays so (C8).
   */
  readonly registration?: Registration | undefined
  /** The one deadline of the homeserver's request to the appservice (D3). Default: 30 seconds. */
  readonly pingTimeout?: Duration.Input | undefined
  /** Options of the homeserver. */
  readonly homeserver?: HomeserverOptions | undefined
  /** What answers as the appservice, such as an app's own. Default: the reference appservice, which fills `received`. */
  readonly appservice?: Handler | undefined
  /** How many received pings are kept; the oldest go first. Default: 1024. */
  readonly maxReceived?: number | undefined
}

const defaults = { pingTimeout: Duration.seconds(30), maxReceived: 1024 } as const

/**
 * Service with which a test drives the pair.
 *
 * **Details**
 *
 * The layers also provide the `HttpClient` that reaches the pair, so that a client needs nothing else.
 *
 * **Example** (A ping that is cut short)
 *
 * ```ts
 * import { Ping } from "@appservice-ping/client"
 * import { Fault, Testbed } from "@appservice-ping/testbed"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const testbed = yield* Testbed.Testbed
 *   yield* testbed.inject(Fault.resetPeer({ at: "in-body" }))
 *   return yield* Effect.flip(Ping.ping(testbed))
 * }).pipe(Effect.scoped, Effect.provide(Testbed.layerMemory()))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Testbed extends Context.Service<Testbed, {
  /** Where the homeserver is. */
  readonly homeserver: URL
  /** Where the appservice is, as the homeserver sees it. */
  readonly appserviceUrl: URL
  /** The appservice's registration, as the homeserver has it. */
  readonly registration: Registration
  /** Puts a fault in force until the scope ends, also when it ends by interruption. */
  readonly inject: (fault: Fault) => Effect.Effect<Faults.Injection, never, Scope.Scope>
  /** How many requests were struck by a fault so far. */
  readonly applied: Effect.Effect<number>
  /** The pings that reached the appservice so far, oldest first. */
  readonly received: Effect.Effect<ReadonlyArray<ReceivedPing>>
  /** What the homeserver has to answer under a fault. */
  readonly expected: (fault: Fault) => Expected.Expected
}>()("@appservice-ping/testbed/Testbed") {}

/** The two sides and what is between them, without the way the bytes travel. */
interface Pair {
  readonly appservice: Handler
  readonly received: Effect.Effect<ReadonlyArray<ReceivedPing>>
  readonly faults: Faults.Faults["Service"]
}

const makePair = Effect.fnUntraced(function*(
  options: TestbedOptions
): Effect.fn.Return<Pair, never, Scope.Scope> {
  const pings = yield* Ref.make<ReadonlyArray<ReceivedPing>>([])
  const maxReceived = options.maxReceived ?? defaults.maxReceived
  const services = yield* Layer.build(Appservice.layer({
    registration: options.registration ?? registration,
    onPing: (ping) => Ref.update(pings, (all) => [...all, ping].slice(-maxReceived))
  }))
  return {
    appservice: options.appservice ?? Context.get(services, Appservice).handle,
    received: Ref.get(pings),
    faults: yield* Faults.make
  }
})

const makeHomeserver = Effect.fnUntraced(function*(
  options: TestbedOptions,
  registration: Registration,
  transport: OutgoingTransport["Service"]
): Effect.fn.Return<Handler, never, Scope.Scope> {
  const services = yield* Layer.build(
    Homeserver.layer(options.homeserver).pipe(
      Layer.provide([
        // One registration cannot collide with another one.
        Layer.orDie(AppserviceRegistry.layer([registration])),
        OutgoingLeg.layer({ timeout: options.pingTimeout ?? defaults.pingTimeout }).pipe(
          Layer.provide(Layer.succeed(OutgoingTransport, transport))
        )
      ])
    )
  )
  return Context.get(services, Homeserver).handle
})

const makeTestbed = (
  options: TestbedOptions,
  pair: Pair,
  parts: Pick<Testbed["Service"], "homeserver" | "appserviceUrl" | "registration">
): Testbed["Service"] =>
  Testbed.of({
    ...parts,
    inject: pair.faults.inject,
    applied: pair.faults.applied,
    received: pair.received,
    expected: (fault) => Expected.of(fault, { timeout: options.pingTimeout ?? defaults.pingTimeout })
  })

const homeserverInMemory = new URL("http://homeserver.test")

const appserviceInMemory = new URL("http://appservice.test:29300")

/**
 * Layer with the pair in this process: no sockets, and no time but Effect's clock, so that `TestClock` owns all of it.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory = (options: TestbedOptions = {}): Layer.Layer<Testbed | HttpClient.HttpClient> =>
  Layer.effectContext(Effect.gen(function*() {
    const pair = yield* makePair(options)
    const own = options.registration ?? registration
    const appserviceUrl = new URL(urlOf(own) ?? appserviceInMemory)
    const appservice = {
      url: appserviceUrl,
      handle: under(appserviceUrl.pathname, pair.appservice),
      faults: pair.faults
    }
    const outgoing = Layer.provide(
      OutgoingTransport.layer,
      Layer.succeed(HttpClient.HttpClient, MemoryHttpClient.make([appservice]))
    )
    const transport = Context.get(yield* Layer.build(outgoing), OutgoingTransport)
    const homeserver = { url: homeserverInMemory, handle: yield* makeHomeserver(options, own, transport) }
    return Context.make(
      Testbed,
      makeTestbed(options, pair, { homeserver: homeserverInMemory, appserviceUrl, registration: own })
    ).pipe(Context.add(HttpClient.HttpClient, MemoryHttpClient.make([homeserver, appservice])))
  }))

/** What a refused connection leaves on the wire nobody sees but its client, so its client counts it. */
const countRefusals = (
  transport: OutgoingTransport["Service"],
  faults: Faults.Faults["Service"]
): OutgoingTransport["Service"] =>
  OutgoingTransport.of({
    send: Effect.fnUntraced(function*(request) {
      const active = yield* faults.current
      return yield* Effect.tapError(transport.send(request), (failure) =>
        active?.verdict._tag === "Refuse" && failure.kind === "refused" ? active.record : Effect.void)
    })
  })

/** The same URL at another place: path and query string stay. */
const movedTo = (url: URL, listening: NodeListener.Listening): URL => {
  const moved = new URL(url)
  moved.protocol = listening.url.protocol
  moved.host = listening.url.host
  return moved
}

const listenOptions = { port: 0, shutdownGrace: 0 } as const

/**
 * Layer with the pair on loopback sockets, each side on a free port.
 *
 * **Gotchas**
 *
 * Sockets know no other time than the real one: use `it.live`, and a short `pingTimeout`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSocket = (
  options: TestbedOptions = {}
): Layer.Layer<Testbed | HttpClient.HttpClient, NodeListener.ListenError> =>
  Layer.effectContext(Effect.gen(function*() {
    const pair = yield* makePair(options)
    const own = options.registration ?? registration
    const ownUrl = new URL(urlOf(own) ?? appserviceInMemory)

    const upstream = yield* NodeListener.listen(under(ownUrl.pathname, pair.appservice), listenOptions)
    const front = yield* WireListener.listen({ upstream, faults: pair.faults })
    const appserviceUrl = movedTo(ownUrl, front)
    const registered = urlOf(own) === undefined ? own : { ...own, url: appserviceUrl.href }

    const transport = Context.get(yield* Layer.build(NodeTransport.layer()), OutgoingTransport)
    const homeserver = yield* NodeListener.listen(
      yield* makeHomeserver(options, registered, countRefusals(transport, pair.faults)),
      { ...listenOptions, headers: corsHeaders }
    )
    const client = yield* Layer.build(NodeHttpClient.layerNodeHttp)
    return Context.add(
      client,
      Testbed,
      makeTestbed(options, pair, { homeserver: homeserver.url, appserviceUrl, registration: registered })
    )
  }))
