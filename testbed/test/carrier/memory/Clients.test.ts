/** What the clients in memory raise is what docs/faults/clients.json says that the real ones do, cell by cell. */
import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import type { Handler } from "@appservice-ping/server/Exchange"
import * as MemoryHttpClient from "@appservice-ping/testbed/carrier/memory/MemoryHttpClient"
import * as MemoryNetwork from "@appservice-ping/testbed/carrier/memory/MemoryNetwork"
import * as MemoryTransport from "@appservice-ping/testbed/carrier/memory/MemoryTransport"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import * as Session from "@appservice-ping/testbed/play/Session"
import * as Virtual from "@appservice-ping/testbed/play/Virtual"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Schema, type Scope } from "effect"
import { HttpBody, type HttpClient, type HttpClientError, HttpClientRequest } from "effect/http"
import { readFileSync } from "node:fs"

const Phase = Schema.Literals(["head", "body"])

const Cell = Schema.Union([
  Schema.Struct({ result: Schema.Literal("answer"), status: Schema.Finite, bytes: Schema.Finite }),
  Schema.Struct({ result: Schema.Literal("timeout"), phase: Schema.optionalKey(Phase) }),
  Schema.Struct({
    result: Schema.Literal("error"),
    phase: Phase,
    reason: Schema.optionalKey(Schema.String),
    errors: Schema.Array(Schema.Struct({ name: Schema.String, code: Schema.optionalKey(Schema.String) })),
    kind: ConnectionFailure.Kind
  }),
  Schema.Struct({ result: Schema.Literal("failure"), kind: ConnectionFailure.Kind, text: Schema.String }),
  // A client of another language, which cannot run here.
  Schema.Struct({ result: Schema.Literal("foreign") })
])

type Cell = typeof Cell.Type

const Pair = Schema.Struct({ first: Cell, second: Cell, connections: Schema.Finite })

const row = <S extends Schema.Constraint>(cell: S) =>
  Schema.Struct({ name: Schema.String, fault: Fault.Fault, cells: Schema.Record(Schema.String, cell) })

const Golden = Schema.fromJsonString(Schema.Struct({
  versions: Schema.Record(Schema.String, Schema.String),
  rows: Schema.Array(row(Cell)),
  keptAlive: Schema.Array(row(Pair))
}))

const golden = Schema.decodeUnknownSync(Golden)(
  readFileSync(new URL("../../../../docs/faults/clients.json", import.meta.url), "utf8")
)

const leg = "to_homeserver"

const url = new URL("http://homeserver.test/_matrix/client/v1/appservice/golden/ping")

const urlOf = (fault: Fault.Fault): URL => Fault.needsTls(fault) ? new URL(url.href.replace("http:", "https:")) : url

const body = JSON.stringify({ transaction_id: "golden" })

const handle: Handler = () =>
  Effect.succeed({ status: 200, headers: { "content-type": "application/json" }, body: "{\"duration_ms\":5}" })

const chainOf = (error: unknown): ReadonlyArray<{ readonly name: string; readonly code?: string }> => {
  if (!(error instanceof Error)) return []
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {}
  return [{ name: error.name, ...code }, ...chainOf(error.cause)]
}

type Ask = (url: URL) => Effect.Effect<Cell>

/** Nothing that ends by itself takes as long, and no client in memory gives up as early. */
const deadline = "5 seconds"

const client = (http: HttpClient.HttpClient): Ask => (url) =>
  Effect.suspend(() => {
    let phase: "head" | "body" = "head"
    return http.execute(HttpClientRequest.post(url, { body: HttpBody.text(body, "application/json") })).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          phase = "body"
        })
      ),
      Effect.flatMap((response) =>
        Effect.map(
          response.arrayBuffer,
          ({ byteLength }): Cell => ({ result: "answer", status: response.status, bytes: byteLength })
        )
      ),
      Effect.catch((error: HttpClientError.HttpClientError) =>
        Effect.succeed<Cell>({
          result: "error",
          phase,
          reason: error.reason._tag,
          errors: chainOf(error.reason.cause),
          kind: ConnectionFailure.fromUnknown(error).kind
        })
      ),
      Effect.timeoutOption(deadline),
      Effect.map(Option.getOrElse((): Cell => ({ result: "timeout", phase })))
    )
  })

const transport = (network: MemoryNetwork.MemoryNetwork): Ask => {
  const { send } = MemoryTransport.make(network)
  return (url) =>
    send({ url, headers: { "content-type": "application/json" }, body, maxBodyBytes: 8 * 1024 * 1024 }).pipe(
      Effect.match({
        onFailure: ({ kind, text }): Cell => ({ result: "failure", kind, text }),
        onSuccess: (response): Cell => ({ result: "answer", status: response.status, bytes: response.body.length })
      }),
      Effect.timeoutOption(deadline),
      Effect.map(Option.getOrElse((): Cell => ({ result: "timeout" })))
    )
}

const clients: {
  readonly [name: string]: (network: MemoryNetwork.MemoryNetwork) => Effect.Effect<Ask, never, Scope.Scope>
} = {
  NodeTransport: (network) => Effect.succeed(transport(network)),
  "Effect over node:http": (network) => Effect.map(MemoryHttpClient.make(network), client),
  "Effect over node:http, keepAlive": (network) =>
    Effect.map(MemoryHttpClient.make(network, { keepAlive: true }), client)
}

const setup = Effect.fnUntraced(function*(name: string, fault: Fault.Fault, match: Plan.Match) {
  const session = yield* Session.make()
  const injection = yield* session.inject(Plan.of(leg, fault, { match }))
  const makeClient = clients[name] ?? assert.fail(`no client in memory for ${name}`)
  const network = yield* MemoryNetwork.make([{ url: urlOf(fault), handle, leg, session }])
  return { session, injection, ask: yield* makeClient(network) }
})

const isModelled = (name: string): boolean => name in clients

describe("the golden table of one request", () => {
  it("has a cell of each client in memory for every fault", () => {
    const names = Object.keys(clients).filter((name) => name !== "Effect over node:http, keepAlive")
    for (const { cells, name } of golden.rows) assert.containsAllKeys(cells, names, name)
    assert.isAtLeast(golden.rows.length, 70)
  })

  for (const { cells, fault, name } of golden.rows) {
    for (const [client, cell] of Object.entries(cells).filter(([client]) => isModelled(client))) {
      it.effect(`${name}: ${client}`, () =>
        Virtual.run(Effect.scoped(Effect.gen(function*() {
          const { ask, injection } = yield* setup(client, fault, {})
          assert.deepStrictEqual(yield* ask(urlOf(fault)), cell)
          assert.strictEqual(yield* injection.applied, fault.type === "pass" ? 0 : 1)
        }))))
    }
  }
})

describe("the golden table of two requests on a connection that is kept", () => {
  for (const { cells, fault, name } of golden.keptAlive) {
    for (const [client, cell] of Object.entries(cells).filter(([client]) => isModelled(client))) {
      it.effect(`${name}: ${client}`, () =>
        Virtual.run(Effect.scoped(Effect.gen(function*() {
          const { ask, session } = yield* setup(client, fault, { connection: 1 })
          const first = yield* ask(urlOf(fault))
          yield* Effect.sleep("1 second")
          const second = yield* ask(urlOf(fault))
          const connections = (yield* session.journal).filter(({ what }) => what.event === "connecting").length
          assert.deepStrictEqual({ first, second, connections }, cell)
        }))))
    }
  }
})
