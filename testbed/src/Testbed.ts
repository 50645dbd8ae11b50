/**
 * A homeserver and an appservice that talk to each other, and a client's way to the homeserver: in memory on virtual
 * time, or over sockets, with any fault on either leg.
 *
 * **Example** (Seeing a bridge's homeserver hit a reset connection)
 *
 * ```ts
 * import * as Ping from "@appservice-ping/client/Ping"
 * import * as Fault from "@appservice-ping/testbed/fault/Fault"
 * import { layerMemory, Testbed } from "@appservice-ping/testbed/Testbed"
 * import { Effect } from "effect"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const testbed = yield* Testbed
 *   const injection = yield* testbed.inject(Fault.resetPeer({ phase: "in_body" }))
 *   const error = yield* Effect.flip(Ping.ping(testbed))
 *   return `${error._tag}, played ${yield* injection.applied} time`
 * })).pipe(Effect.provide(layerMemory()))
 *
 * await Effect.runPromise(program) // => "M_CONNECTION_FAILED, played 1 time"
 * ```
 *
 * @since 0.1.0
 */
import { AppserviceId } from "@appservice-ping/domain/AppserviceId"
import { type Registration, urlOf } from "@appservice-ping/domain/Registration"
import * as NodeListener from "@appservice-ping/node/NodeListener"
import * as NodeTransport from "@appservice-ping/node/NodeTransport"
import * as Appservice from "@appservice-ping/server/appservice/Appservice"
import type { Handler } from "@appservice-ping/server/Exchange"
import { under } from "@appservice-ping/server/Exchange"
import * as AppserviceRegistry from "@appservice-ping/server/homeserver/AppserviceRegistry"
import * as Homeserver from "@appservice-ping/server/homeserver/Homeserver"
import * as OutgoingPing from "@appservice-ping/server/homeserver/OutgoingPing"
import { OutgoingTransport } from "@appservice-ping/server/homeserver/OutgoingTransport"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Context, Deferred, Duration, Effect, Layer, Redacted, Ref, type Scope } from "effect"
import { HttpClient } from "effect/http"
import * as MemoryHttpClient from "./carrier/memory/MemoryHttpClient.ts"
import * as MemoryNetwork from "./carrier/memory/MemoryNetwork.ts"
import * as MemoryTransport from "./carrier/memory/MemoryTransport.ts"
import * as Certificates from "./carrier/tls/Certificates.ts"
import * as PreparedAgent from "./carrier/wire/PreparedAgent.ts"
import * as WireProxy from "./carrier/wire/WireProxy.ts"
import { actionOf, type Fault, stageOf } from "./fault/Fault.ts"
import * as Expectation from "./oracle/Expectation.ts"
import * as AppserviceHandler from "./peer/AppserviceHandler.ts"
import * as AppservicePeers from "./peer/AppservicePeers.ts"
import * as HomeserverHandler from "./peer/HomeserverHandler.ts"
import * as HomeserverPeers from "./peer/HomeserverPeers.ts"
import * as PeerTransport from "./peer/PeerTransport.ts"
import * as Plan from "./plan/Plan.ts"
import * as Session from "./play/Session.ts"
import { Action } from "./step/Action.ts"
import type { Leg } from "./step/Leg.ts"

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
  readonly homeserver?: Homeserver.HomeserverOptions | undefined
  /**
   * A homeserver that answers like a real one, in place of ours; `pingTimeout` is in place of its own timeouts. What
   * `expected` says is of ours.
   */
  readonly homeserverPeer?: HomeserverPeers.Name | undefined
  /** An appservice that answers like those of a real framework, in place of ours. */
  readonly appservicePeer?: AppservicePeers.Name | undefined
  /** What answers as the appservice, such as an app's own. Default: the reference appservice, which fills `received`. */
  readonly appservice?: Handler | undefined
  /** How many received pings are kept, the newest ones. Default: 1024. */
  readonly maxReceived?: number | undefined
  /** Whether both legs speak TLS, with a certificate of the testbed that both clients trust. Default: false. */
  readonly tls?: boolean | undefined
  /**
   * Whether the client keeps its connection to the homeserver for the next ping. Default: false, so that each ping meets
   * what happens to connections; true for what happens to connections that are kept.
   */
  readonly keepAlive?: boolean | undefined
  /** Bounds and seed of the session. */
  readonly session?: Session.SessionOptions | undefined
}

const defaults = { pingTimeout: Duration.seconds(30), maxReceived: 1024 } as const

/**
 * Service that is the pair, and what happens between its two halves and the client.
 *
 * **Details**
 *
 * It has what `Ping.ping` takes, so that `Ping.ping(testbed)` asks the testbed's homeserver.
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
  /** Puts one fault in force, on the leg to the appservice where nothing is said, until the scope ends. */
  readonly inject: (fault: Fault, leg?: Leg) => Effect.Effect<Session.Injection, never, Scope.Scope>
  /** Puts a plan in force until the scope ends, also when it ends by interruption. */
  readonly apply: Session.Session["Service"]["inject"]
  /** The pings that reached the reference appservice so far, oldest first; a replacement for it is not known to report any. */
  readonly received: Effect.Effect<ReadonlyArray<Appservice.ReceivedPing>>
  /**
   * What a client that waits 90 seconds has to get under one fault, and how often the application is asked; a draw is
   * taken to be 0.
   */
  readonly expected: (fault: Fault, leg?: Leg) => Expectation.Expectation
  /** How many faults were really played so far, as far as the journal goes back. */
  readonly applied: Effect.Effect<number>
  /** The decisions and the journal behind both legs. */
  readonly session: Session.Session["Service"]
}>()("@appservice-ping/testbed/Testbed") {}

interface Pair {
  readonly appservice: Handler
  readonly received: Effect.Effect<ReadonlyArray<Appservice.ReceivedPing>>
  readonly session: Session.Session["Service"]
}

const makePair = Effect.fnUntraced(function*(options: TestbedOptions): Effect.fn.Return<Pair, never, Scope.Scope> {
  const pings = yield* Ref.make<ReadonlyArray<Appservice.ReceivedPing>>([])
  const maxReceived = options.maxReceived ?? defaults.maxReceived
  const services = yield* Layer.build(Appservice.layer({
    registration: options.registration ?? registration,
    onPing: (ping) => Ref.update(pings, (all) => [...all, ping].slice(Math.max(0, all.length + 1 - maxReceived)))
  }))
  const peer = options.appservicePeer === undefined
    ? undefined
    : yield* AppserviceHandler.make(AppservicePeers.peers[options.appservicePeer], {
      registration: options.registration ?? registration
    })
  return {
    appservice: options.appservice ?? peer?.handle ?? Context.get(services, Appservice.Appservice).handle,
    received: Ref.get(pings),
    session: yield* Session.make(options.session)
  }
})

const makeHomeserver = Effect.fnUntraced(function*(
  options: TestbedOptions,
  registration: Registration,
  transport: OutgoingTransport["Service"],
  peerTransport: PeerTransport.PeerTransport
): Effect.fn.Return<Handler, never, Scope.Scope> {
  if (options.homeserverPeer !== undefined) {
    const { pingTimeout } = options
    const made = HomeserverHandler.make(HomeserverPeers.peers[options.homeserverPeer], {
      registrations: [registration],
      transport: peerTransport,
      ...pingTimeout === undefined ? {} : { timeouts: { connect: pingTimeout, request: pingTimeout } }
    })
    // One registration cannot collide with another one.
    return yield* Effect.orDie(made)
  }
  const services = yield* Layer.build(
    // There is one appservice, so that its share is all there is.
    Homeserver.layer({ maxConcurrentPingsPerAppservice: Number.MAX_SAFE_INTEGER, ...options.homeserver }).pipe(
      Layer.provide([
        // One registration cannot collide with another one.
        Layer.orDie(AppserviceRegistry.layer([registration])),
        OutgoingPing.layer({ timeout: options.pingTimeout ?? defaults.pingTimeout }).pipe(
          Layer.provide(Layer.succeed(OutgoingTransport, transport))
        )
      ])
    )
  )
  return Context.get(services, Homeserver.Homeserver).handle
})

const clientTimeout = Duration.seconds(90)

const expectedOf = (options: TestbedOptions) => (fault: Fault, leg: Leg = "to_appservice"): Expectation.Expectation => {
  const tls = options.tls ?? false
  const shared = { tls, stage: stageOf(fault) }
  const actionOn = (other: Leg): Action =>
    other === leg ? actionOf(fault, { leg, draw: 0, time: 0, now: 0 }) : Action.Pass()
  const timeout = options.pingTimeout ?? defaults.pingTimeout
  const answer = Expectation.ofAppservice(actionOn("to_appservice"), { ...shared, timeout })
  return Expectation.ofHomeserver(actionOn("to_homeserver"), answer, { ...shared, timeout: clientTimeout })
}

const makeTestbed = (
  options: TestbedOptions,
  pair: Pair,
  parts: Pick<Testbed["Service"], "homeserver" | "appserviceUrl" | "registration">
): Testbed["Service"] =>
  Testbed.of({
    ...parts,
    inject: (fault, leg = "to_appservice") => pair.session.inject(Plan.of(leg, fault)),
    apply: pair.session.inject,
    received: pair.received,
    expected: expectedOf(options),
    applied: Effect.map(
      pair.session.journal,
      (entries) => entries.filter(({ what }) => what.event === "applied").length
    ),
    session: pair.session
  })

const withScheme = (url: URL, tls: boolean): URL => {
  const changed = new URL(url)
  changed.protocol = tls ? "https:" : "http:"
  return changed
}

const homeserverInMemory = new URL("http://homeserver.test")
const appserviceInMemory = new URL("http://appservice.test:29300")

/**
 * Layer of a testbed without sockets: everything happens in this process, and all time is that of Effect's clock.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory = (options: TestbedOptions = {}): Layer.Layer<Testbed | HttpClient.HttpClient> =>
  Layer.effectContext(Effect.gen(function*() {
    const pair = yield* makePair(options)
    const { session } = pair
    const tls = options.tls ?? false
    const own = options.registration ?? registration
    const appserviceUrl = withScheme(new URL(urlOf(own) ?? appserviceInMemory), tls)
    const registered = urlOf(own) === undefined ? own : { ...own, url: appserviceUrl.href }
    const homeserverUrl = withScheme(homeserverInMemory, tls)
    const served = yield* Deferred.make<Handler>()
    const network = yield* MemoryNetwork.make([
      { leg: "to_appservice", url: appserviceUrl, handle: under(appserviceUrl.pathname, pair.appservice), session },
      {
        leg: "to_homeserver",
        url: homeserverUrl,
        handle: (request) => Effect.flatMap(Deferred.await(served), (handle) => handle(request)),
        session
      }
    ])
    const homeserver = yield* makeHomeserver(
      options,
      registered,
      MemoryTransport.make(network),
      PeerTransport.make({ ca: Certificates.ca, connect: network.connect })
    )
    yield* Deferred.succeed(served, homeserver)
    return Context.make(
      Testbed,
      makeTestbed(options, pair, { homeserver: homeserverUrl, appserviceUrl, registration: registered })
    ).pipe(
      Context.add(
        HttpClient.HttpClient,
        yield* MemoryHttpClient.make(network, { keepAlive: options.keepAlive ?? false })
      )
    )
  }))

const movedTo = (url: URL, listening: NodeListener.Listening): URL => {
  const moved = new URL(url)
  moved.protocol = listening.url.protocol
  moved.host = listening.url.host
  return moved
}

const listenOptions = { port: 0, shutdownGrace: 0 } as const

/**
 * Layer of a testbed on loopback sockets, in real time: a proxy in front of each server plays the faults.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSocket = (
  options: TestbedOptions = {}
): Layer.Layer<Testbed | HttpClient.HttpClient, NodeListener.ListenError> =>
  Layer.effectContext(Effect.gen(function*() {
    const pair = yield* makePair(options)
    const { session } = pair
    const tls = options.tls ?? false
    const own = options.registration ?? registration
    const ownUrl = new URL(urlOf(own) ?? appserviceInMemory)
    const appservice = yield* NodeListener.listen(under(ownUrl.pathname, pair.appservice), listenOptions)
    const toAppservice = yield* WireProxy.listen({ leg: "to_appservice", upstream: appservice, session, tls })
    const appserviceUrl = movedTo(ownUrl, toAppservice)
    const registered = urlOf(own) === undefined ? own : { ...own, url: appserviceUrl.href }
    const outgoing = { ca: Certificates.ca, connect: yield* PreparedAgent.connector([toAppservice]) }
    const transport = Context.get(yield* Layer.build(NodeTransport.layer(outgoing)), OutgoingTransport)
    const homeserver = yield* NodeListener.listen(
      yield* makeHomeserver(options, registered, transport, PeerTransport.make(outgoing)),
      { ...listenOptions, headers: Homeserver.corsHeaders }
    )
    const toHomeserver = yield* WireProxy.listen({ leg: "to_homeserver", upstream: homeserver, session, tls })
    const agent = PreparedAgent.layer([toHomeserver, toAppservice], {
      ca: Certificates.ca,
      keepAlive: options.keepAlive ?? false
    })
    const client = yield* Layer.build(Layer.provide(NodeHttpClient.layerNodeHttpNoAgent, agent))
    return Context.add(
      client,
      Testbed,
      makeTestbed(options, pair, { homeserver: toHomeserver.url, appserviceUrl, registration: registered })
    )
  }))
