import * as Certificates from "@appservice-ping/testbed/carrier/tls/Certificates"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { get } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run, type Running, start } from "./support/Cli.ts"
import { answering, type RawServer } from "./support/servers.ts"

const plan = (fault: string): string => `rules: [{ leg: to_appservice, fault: ${fault} }]`

const planFile = (text: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const directory = await mkdtemp(join(tmpdir(), "appservice-ping-proxy-"))
      await writeFile(join(directory, "plan.yaml"), text)
      return directory
    }),
    (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
  ).pipe(Effect.map((directory) => join(directory, "plan.yaml")))

const ready = (running: Running) =>
  Effect.map(running.printed(/proxy ready at (http:\/\/127\.0\.0\.1:\d+), in front of/), ([, url = ""]) => url)

const controlled = (running: Running) =>
  Effect.map(running.printed(/control API ready at (http:\/\/127\.0\.0\.1:\d+)/), ([, url = ""]) => url)

const ask = (url: string, init?: RequestInit) =>
  Effect.promise(async () => {
    try {
      const response = await fetch(url, { ...init, headers: { connection: "close", ...init?.headers } })
      return { status: response.status, body: await response.text() }
    } catch {
      return { status: 0, body: "" }
    }
  })

const startProxy = (upstream: RawServer, ...args: ReadonlyArray<string>) =>
  start(["proxy", "--leg", "to_appservice", "--upstream", `127.0.0.1:${upstream.port}`, ...args])

/** A client that trusts the testbed; status 0 and the code of the error where it gets no answer. */
const askSecurely = (port: string) =>
  Effect.callback<{ readonly status: number; readonly body: string }>((resume) => {
    const request = get({ host: "localhost", family: 4, port, ca: Certificates.ca, agent: false }, (response) => {
      let body = ""
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text
      })
      response.on("end", () => resume(Effect.succeed({ status: response.statusCode ?? 0, body })))
    })
    request.on("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed({ status: 0, body: error.code ?? "" })))
  })

describe("appservice-ping proxy", () => {
  it.live("stands in front of a foreign server, plays the plan of its file, and stops with exit code 0", () =>
    Effect.gen(function*() {
      const upstream = yield* answering(200, "{}")
      const file = yield* planFile(plan("{ type: status, status: 418, body: teapot }"))
      const running = yield* startProxy(upstream, "--plan", file)
      assert.deepStrictEqual(yield* ask(yield* ready(running)), { status: 418, body: "teapot" })
      yield* running.kill("SIGTERM")
      const { code, stdout } = yield* running.ended
      assert.strictEqual(code, 0)
      assert.strictEqual(stdout.trimEnd().split("\n").at(-1), "rule-1: matched 1, suppressed 0, fired 1, played 1")
    }).pipe(Effect.scoped))

  it.live("lets the control API tell of the plan of its file, and heal it", () =>
    Effect.gen(function*() {
      const upstream = yield* answering(200, "{}")
      const running = yield* startProxy(
        upstream,
        "--plan",
        yield* planFile(plan("{ type: status, status: 418 }")),
        "--control",
        "0"
      )
      const proxy = yield* ready(running)
      const control = yield* controlled(running)
      assert.strictEqual((yield* ask(proxy)).status, 418)
      assert.include((yield* ask(`${control}/plan`)).body, "\"status\":418")
      assert.include((yield* ask(`${control}/report`)).body, "\"applied\":1")
      assert.strictEqual((yield* ask(`${control}/plan`, { method: "DELETE" })).status, 204)
      assert.strictEqual((yield* ask(proxy)).status, 200)
    }).pipe(Effect.scoped))

  it.live("listens on the address of a name", () =>
    Effect.gen(function*() {
      const upstream = yield* answering(200, "{}")
      const running = yield* startProxy(upstream, "--host", "localhost")
      const [, url = ""] = yield* running.printed(/proxy ready at (http:\/\/\S+), in front of/)
      assert.strictEqual((yield* ask(url)).status, 200)
    }).pipe(Effect.scoped))

  it.live("takes a plan from the control API, tells what became of it, and heals", () =>
    Effect.gen(function*() {
      const upstream = yield* answering(200, "{}")
      const running = yield* startProxy(upstream, "--control", "0")
      const proxy = yield* ready(running)
      const control = yield* controlled(running)
      assert.strictEqual((yield* ask(proxy)).status, 200)
      const body = plan("{ type: reset_peer, phase: before_headers }")
      const put = yield* ask(`${control}/plan`, {
        method: "PUT",
        body,
        headers: { "content-type": "application/yaml" }
      })
      assert.strictEqual(put.status, 200)
      assert.strictEqual((yield* ask(proxy)).status, 0)
      assert.include((yield* ask(`${control}/report`)).body, "\"applied\":1")
      assert.include((yield* ask(`${control}/journal`)).body, "\"how\":\"rst\"")
      assert.strictEqual((yield* ask(`${control}/plan`, { method: "DELETE" })).status, 204)
      assert.strictEqual((yield* ask(proxy)).status, 200)
    }).pipe(Effect.scoped))

  it.live("refuses a plan with a mistake before it listens", () =>
    Effect.gen(function*() {
      const file = yield* planFile(plan("{ type: latencyy, latency: 5 }"))
      const ended = yield* run([
        "proxy",
        "--leg",
        "to_appservice",
        "--upstream",
        "127.0.0.1:1",
        "--plan",
        file
      ])
      assert.strictEqual(ended.code, 2)
      assert.include(ended.stderr, `${file}:1: rules[0].fault.type: unknown fault "latencyy"; did you mean "latency"?`)
      assert.strictEqual(ended.stdout, "")
    }).pipe(Effect.scoped))

  it.live("speaks TLS to its clients, and to the server where that is wanted", () =>
    Effect.gen(function*() {
      const upstream = yield* answering(200, "{}")
      const inner = yield* startProxy(upstream, "--tls")
      const [, innerPort = ""] = yield* inner.printed(/proxy ready at https:\/\/127\.0\.0\.1:(\d+)/)
      assert.deepStrictEqual(yield* askSecurely(innerPort), { status: 200, body: "{}" })
      // Its certificate is the testbed's own, which nobody trusts who was not told to.
      const outer = yield* start([
        "proxy",
        "--leg",
        "to_appservice",
        "--upstream-tls",
        "--upstream",
        `127.0.0.1:${innerPort}`
      ])
      assert.strictEqual((yield* ask(yield* ready(outer))).status, 0)
    }).pipe(Effect.scoped))

  it.live("plays faults of TLS", () =>
    Effect.gen(function*() {
      const upstream = yield* answering(200, "{}")
      const file = yield* planFile(plan("{ type: tls, defect: expired }"))
      const running = yield* startProxy(upstream, "--tls", "--plan", file)
      const [, port = ""] = yield* running.printed(/proxy ready at https:\/\/127\.0\.0\.1:(\d+)/)
      assert.deepStrictEqual(yield* askSecurely(port), { status: 0, body: "CERT_HAS_EXPIRED" })
    }).pipe(Effect.scoped))

  for (const upstream of ["nowhere", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", "::1:80", "a b:1"]) {
    it.live(`wants a host and a port, not ${upstream}`, () =>
      Effect.gen(function*() {
        const { code, stderr } = yield* run(["proxy", "--leg", "to_appservice", "--upstream", upstream])
        assert.strictEqual(code, 2)
        assert.include(stderr, "--upstream: expected a host and a port")
      }))
  }
})
