/**
 * Sends a request by every client into every fault, over real sockets.
 *
 * What is written down are names, codes and counts. A client is given up when the server has done nothing for some
 * turns of the event loop, and not after some time: both sides live in this process, so that a slow machine slows both.
 */
import { ca } from "@appservice-ping/testbed/carrier/tls/Certificates"
import * as WireProxy from "@appservice-ping/testbed/carrier/wire/WireProxy"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Session from "@appservice-ping/testbed/play/Session"
import { Effect, Schema, type Scope } from "effect"
import Dns from "node:dns"
import * as Http from "node:http"
import { createRequire } from "node:module"
import type { AddressInfo } from "node:net"
import * as Tls from "node:tls"
import type { Cell, Measured, Pair, Row } from "./Cell.ts"
import { type Ask, type Client, clients, keepingClients, type Progress } from "./clients.ts"
import * as GoClient from "./goClient.ts"
import { keptAliveRows, rows } from "./rows.ts"

const leg = "to_homeserver"

const path = "/_matrix/client/v1/appservice/golden/ping"

const concurrency = 12

const listening = (server: Http.Server): Effect.Effect<number> =>
  Effect.callback((resume) => {
    server.listen(0, "127.0.0.1", () => {
      const address: AddressInfo | string | null = server.address()
      resume(typeof address === "object" && address !== null ? Effect.succeed(address.port) : Effect.die("no port"))
    })
  })

/** The homeserver behind every proxy: it answers as soon as it has the request. */
const upstream: Effect.Effect<number, never, Scope.Scope> = Effect.flatMap(
  Effect.acquireRelease(
    Effect.sync(() =>
      Http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
        request.resume().on("end", () => {
          response.writeHead(200, { "content-type": "application/json" }).end("{\"duration_ms\":5}")
        })
      })
    ),
    (server) =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  ),
  listening
)

/** Stands in for the system's resolver, which answers differently on every machine, as long as the scope is open. */
const resolver: Effect.Effect<void, never, Scope.Scope> = Effect.asVoid(Effect.acquireRelease(
  Effect.sync(() => {
    const { lookup } = Dns
    const failures = new Map([
      ["not-found.test", { code: "ENOTFOUND", errno: -3008 }],
      ["try-again.test", { code: "EAI_AGAIN", errno: -3001 }]
    ])
    Object.assign(Dns, {
      lookup: (hostname: string, ...rest: ReadonlyArray<unknown>) => {
        if (!hostname.endsWith(".test")) return Reflect.apply(lookup, Dns, [hostname, ...rest])
        const callback = rest.at(-1)
        const failure = failures.get(hostname)
        if (failure === undefined || typeof callback !== "function") return {}
        const message = `getaddrinfo ${failure.code} ${hostname}`
        const error = Object.assign(new Error(message), { ...failure, syscall: "getaddrinfo", hostname })
        process.nextTick(() => Reflect.apply(callback, undefined, [error]))
        return {}
      }
    })
    return lookup
  }),
  (lookup) => Effect.sync(() => Object.assign(Dns, { lookup }))
))

/** Makes every client of this process trust the test authority, as long as the scope is open. */
const trust: Effect.Effect<void, never, Scope.Scope> = Effect.asVoid(Effect.acquireRelease(
  Effect.sync(() => {
    const before = Tls.getCACertificates("default")
    Tls.setDefaultCACertificates([ca])
    return before
  }),
  (before) => Effect.sync(() => Tls.setDefaultCACertificates(before))
))

const turn: Effect.Effect<void> = Effect.callback((resume) => {
  setImmediate(() => setImmediate(() => resume(Effect.void)))
})

/** Waits until the journal has not grown for some turns. */
const quiet = Effect.fnUntraced(function*(session: Session.Session["Service"], turns: number) {
  let before = -1
  for (let left = turns; left > 0;) {
    yield* Effect.sleep("80 millis")
    yield* turn
    const { length } = yield* session.journal
    left = length === before ? left - 1 : turns
    before = length
  }
})

/** Nothing of these is seen by the server. */
const isUnseen = (fault: Fault.Fault): boolean => ["pass", "dns", "refused", "never_accepted"].includes(fault.type)

const isSilent = (fault: Fault.Fault): boolean =>
  fault.type === "never_accepted" || (fault.type === "dns" && fault.failure === "hang")

/** Waits until nothing more can come: a slow transfer is none of that. */
const stuck = Effect.fnUntraced(function*(session: Session.Session["Service"], fault: Fault.Fault) {
  while (!isSilent(fault) && !(yield* session.journal).some(({ what }) => what.event === "hung")) {
    yield* Effect.sleep("20 millis")
  }
  yield* quiet(session, 4)
})

const urlOf = (fault: Fault.Fault, proxy: WireProxy.WireProxy): URL => {
  const url = new URL(path, proxy.url)
  if (fault.type === "dns") url.hostname = `${fault.failure.replaceAll("_", "-")}.test`
  return url
}

const setup = Effect.fnUntraced(function*(fault: Fault.Fault, port: number, options: Pick<Plan.Rule, "match">) {
  const session = yield* Session.make()
  const proxy = yield* Effect.orDie(WireProxy.listen({
    leg,
    session,
    upstream: { host: "127.0.0.1", port },
    tls: Fault.needsTls(fault),
    lingerTimeout: "20 seconds"
  }))
  const injection = yield* session.inject(Plan.of(leg, fault, options))
  return { injection, proxy, session }
})

const askOnce = (
  ask: Ask,
  url: URL,
  fault: Fault.Fault,
  session: Session.Session["Service"]
): Effect.Effect<Cell> =>
  Effect.suspend(() => {
    const progress: Progress = { phase: "head", isTold: true }
    return Effect.raceFirst(
      ask(url, progress),
      Effect.map(stuck(session, fault), (): Cell => ({
        result: "timeout",
        ...progress.isTold ? { phase: progress.phase } : {}
      }))
    ).pipe(
      // A bound for what should not be: a wrong table is worse than none.
      Effect.timeoutOrElse({
        duration: "2 minutes",
        orElse: () => Effect.die(new Error(`"${Fault.describe(fault)}" never ended`))
      })
    )
  })

/** A client may have its error before the server knows that the fault was played. */
const proven = Effect.fnUntraced(function*(fault: Fault.Fault, injection: Session.Injection, client: Client) {
  for (let turns = 0; turns < 200; turns++) {
    if (isUnseen(fault) || (yield* injection.applied) > 0) return
    yield* Effect.sleep("10 millis")
    yield* turn
  }
  return yield* Effect.die(new Error(`${client.name}: "${Fault.describe(fault)}" was not applied`))
})

const measureOne = (fault: Fault.Fault, client: Client, port: number): Effect.Effect<Cell> =>
  Effect.scoped(Effect.gen(function*() {
    const { injection, proxy, session } = yield* setup(fault, port, {})
    const cell = yield* askOnce(yield* client.make, urlOf(fault, proxy), fault, session)
    if (fault.type !== "crash") yield* proven(fault, injection, client)
    return cell
  }))

const measurePair = (fault: Fault.Fault, client: Client, port: number): Effect.Effect<Pair> =>
  Effect.scoped(Effect.gen(function*() {
    const { injection, proxy, session } = yield* setup(fault, port, { match: { connection: 1 } })
    const ask = yield* client.make
    const url = urlOf(fault, proxy)
    const first = yield* askOnce(ask, url, fault, session)
    yield* quiet(session, 1)
    const second = yield* askOnce(ask, url, fault, session)
    yield* proven(fault, injection, client)
    const connections = (yield* session.journal).filter(({ what }) => what.event === "connecting").length
    return { first, second, connections }
  }))

/** The resolver of another process is not ours to replace. */
const canMeet = (fault: Fault.Fault) => (client: Client): boolean =>
  client.name !== GoClient.name || fault.type !== "dns"

const measureRows = Effect.fnUntraced(function*<A>(
  faults: ReadonlyArray<Fault.Fault>,
  clients: ReadonlyArray<Client>,
  recorded: ReadonlyArray<Row<A>>,
  measure: (fault: Fault.Fault, client: Client) => Effect.Effect<A>
) {
  const cells = yield* Effect.forEach(
    faults.flatMap((fault) => clients.filter(canMeet(fault)).map((client) => ({ fault, client }))),
    ({ client, fault }) => Effect.map(measure(fault, client), (cell) => ({ fault, name: client.name, cell })),
    { concurrency }
  )
  return faults.map((fault): Row<A> => {
    const name = Fault.describe(fault)
    const go = GoClient.isMeasured ? undefined : recorded.find((row) => row.name === name)?.cells[GoClient.name]
    return {
      name,
      fault: Schema.encodeSync(Fault.Fault)(fault),
      cells: {
        ...Object.fromEntries(cells.filter((cell) => cell.fault === fault).map(({ cell, name }) => [name, cell])),
        ...go === undefined ? {} : { [GoClient.name]: go }
      }
    }
  })
})

const versionOf = (name: string, from: string): string => {
  const manifest: unknown = createRequire(from)(`${name}/package.json`)
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown"
}

const goVersion = (recorded: Measured): Measured["versions"] => {
  const version = GoClient.isMeasured ? GoClient.version() : recorded.versions["go"]
  return version === undefined ? {} : { go: version }
}

const versions = (recorded: Measured): Measured["versions"] => {
  const platform = import.meta.resolve("@effect/platform-node")
  return {
    node: process.versions.node,
    "undici in node": process.versions["undici"] ?? "unknown",
    undici: versionOf("undici", platform),
    effect: versionOf("effect", platform),
    "@effect/platform-node": versionOf("@effect/platform-node", import.meta.url),
    ...goVersion(recorded)
  }
}

/** Measures everything but what needs more than npm: that is taken from what was recorded. */
export const measure = (recorded: Measured): Promise<Measured> =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    yield* resolver
    yield* trust
    const port = yield* upstream
    const go = GoClient.isMeasured ? [yield* GoClient.make] : []
    return {
      versions: versions(recorded),
      rows: yield* measureRows(
        rows,
        [...clients, ...go],
        recorded.rows,
        (fault, client) => measureOne(fault, client, port)
      ),
      keptAlive: yield* measureRows(
        keptAliveRows,
        [...keepingClients, ...go],
        recorded.keptAlive,
        (fault, client) => measurePair(fault, client, port)
      )
    }
  })))
