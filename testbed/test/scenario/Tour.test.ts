import * as PingError from "@appservice-ping/domain/PingError"
import { fromText } from "@appservice-ping/domain/RegistrationFile"
import type { Single } from "@appservice-ping/testbed/fault/Catalogue"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import * as Expectation from "@appservice-ping/testbed/oracle/Expectation"
import * as Tour from "@appservice-ping/testbed/scenario/Tour"
import * as TourReport from "@appservice-ping/testbed/scenario/TourReport"
import { layerMemory } from "@appservice-ping/testbed/Testbed"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Redacted, Result } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { memory, wire } from "../support/modes.ts"

const pingTimeout = Duration.seconds(1)

const bounds: Tour.Bounds = { pingTimeout, tokens: [Redacted.make("sesame-opens")] }

const success = Result.succeed({ duration_ms: 1 })
const timedOut = Result.fail(new PingError.ConnectionTimeout({ error: "late" }))

const good: Tour.Observation = {
  expected: { _tag: "M_CONNECTION_TIMEOUT", status: 504 },
  got: timedOut,
  duration: Duration.millis(1005),
  applied: 1,
  healed: success
}

const root = new URL("../../", import.meta.url)

describe("the judge of the tour", () => {
  it("finds nothing wrong where nothing is", () => {
    assert.deepStrictEqual(Tour.judge(good, bounds), [])
    assert.deepStrictEqual(
      Tour.judge({
        ...good,
        expected: Expectation.healthy.answer,
        got: success,
        applied: undefined,
        healed: undefined
      }, bounds),
      []
    )
  })

  const wrong: ReadonlyArray<readonly [string, Partial<Tour.Observation>]> = [
    ["wrong answer", { got: Result.fail(new PingError.ConnectionFailed({})) }],
    ["wrong answer", { got: success }],
    ["the fault did not strike", { applied: 0 }],
    ["asked more than once", { applied: 2 }],
    ["too early", { duration: Duration.millis(998) }],
    ["too late", { duration: Duration.millis(1101) }],
    ["not healed", { healed: timedOut }],
    ["a token in the answer", { got: Result.fail(new PingError.ConnectionTimeout({ error: "sesame-opens" })) }],
    [
      "a token in the answer",
      { healed: Result.fail(new PingError.BadStatus({ status: 500, body: "x sesame-opens x" })) }
    ]
  ]
  for (const [problem, change] of wrong) {
    it(`finds: ${problem}, ${JSON.stringify(change)}`, () => {
      assert.include(Tour.judge({ ...good, ...change }, bounds), problem)
    })
  }

  it("lets an answer take exactly a tenth longer than the deadline, and be early where no deadline is to pass", () => {
    assert.deepStrictEqual(Tour.judge({ ...good, duration: Duration.millis(1100) }, bounds), [])
    const quick = { ...good, expected: Expectation.healthy.answer, got: success, duration: Duration.millis(1) }
    assert.deepStrictEqual(Tour.judge(quick, bounds), [])
  })

  it("calls no tour good that judged nothing", () => {
    assert.isFalse(Tour.isGood([]))
  })
})

describe("the tour", () => {
  it.live("goes through every fault, healthy first and healed last, and finds all answers right", () =>
    Effect.gen(function*() {
      const faults = Tour.faults(pingTimeout)
      const reported: Array<string> = []
      const stops = yield* Tour.run({
        faults,
        pingTimeout,
        report: (stop, number, count) => Effect.sync(() => reported.push(`${number}/${count} ${stop.name}`))
      })
      assert.deepStrictEqual(
        stops.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`)),
        []
      )
      assert.isTrue(Tour.isGood(stops))
      assert.deepStrictEqual(
        stops.map((stop) => stop.name),
        ["healthy", ...faults.map(Tour.nameOf), "healed"]
      )
      assert.deepStrictEqual(reported, stops.map((stop, index) => `${index + 1}/${stops.length} ${stop.name}`))
    }).pipe(memory.run({ pingTimeout })))

  it.live("finds all answers right on sockets", () =>
    Effect.gen(function*() {
      const faults = [Fault.refused, Fault.resetPeer({ phase: "in_body" }), Fault.status(503), Fault.head("not_http")]
        .map(
          (fault): Single => ({ leg: "to_appservice", fault })
        )
      const stops = yield* Tour.run({ faults, pingTimeout: "30 seconds" })
      assert.deepStrictEqual(stops.flatMap(({ problems }) => problems), [])
      assert.lengthOf(stops, 6)
    }).pipe(wire.run({ pingTimeout: "30 seconds" })))

  it.effect("finds a homeserver wrong that is not as healthy as it should be", () =>
    Effect.gen(function*() {
      const stops = yield* Tour.run({ faults: [{ leg: "to_appservice", fault: Fault.refused }], pingTimeout })
      assert.deepStrictEqual(stops.map(({ problems }) => problems), [["wrong answer"], ["not healed"], [
        "wrong answer"
      ]])
      assert.isFalse(Tour.isGood(stops))
    }).pipe(Effect.provide(layerMemory({
      pingTimeout,
      appservice: () => Effect.succeed({ status: 500, headers: {}, body: "" })
    }))))
})

describe("the report of the tour", () => {
  const stops: ReadonlyArray<Tour.Stop> = [
    { name: "stalled in the body", observation: good, problems: [] },
    { name: "not HTTP", observation: { ...good, got: success }, problems: ["wrong answer", "too late"] }
  ]

  it("is a table with aligned columns and an outcome", () => {
    assert.deepStrictEqual(TourReport.table(stops, { isColoured: false }).split("\n"), [
      "fault                expected answer       answer                duration  verdict",
      "stalled in the body  M_CONNECTION_TIMEOUT  M_CONNECTION_TIMEOUT   1005 ms  ok",
      "not HTTP             M_CONNECTION_TIMEOUT  success                1005 ms  wrong answer, too late",
      "",
      "1 of 2 are wrong."
    ])
    const [first] = stops
    assert.include(TourReport.table(first === undefined ? [] : [first], { isColoured: false }), "All 1 answers")
    assert.include(TourReport.table([], { isColoured: false }), "nothing to judge")
  })

  it("has colours only where they are wanted", () => {
    const [first, second] = stops
    if (first === undefined || second === undefined) return assert.fail("two stops")
    assert.include(TourReport.line(first, 1, 2, { isColoured: true }), "\u001b[32mok\u001b[0m")
    assert.include(TourReport.line(second, 2, 2, { isColoured: true }), "\u001b[31mwrong answer")
    assert.strictEqual(
      TourReport.line(second, 2, 10, { isColoured: false }),
      "[ 2/10] not HTTP: success after 1005 ms, wrong answer, too late"
    )
    assert.notInclude(TourReport.table(stops, { isColoured: false }), "\u001b")
  })

  it("fits into 100 columns for every fault of the catalogue", () => {
    const names = Tour.faults("1500 millis").map(Tour.nameOf)
    const all = names.map((name): Tour.Stop => ({ name, observation: good, problems: [] }))
    for (const row of TourReport.table(all, { isColoured: false }).split("\n")) assert.isAtMost(row.length, 100)
  })
})

describe("npm start", () => {
  it("has a registration file that a homeserver can read", async () => {
    const file = new URL("registrations/telegram.yaml", root)
    const { registration } = Result.getOrThrow(fromText(await readFile(file, "utf8"), "telegram.yaml"))
    assert.strictEqual(registration.id, "telegram")
    assert.isTrue(registration["de.sorunome.msc2409.push_ephemeral"])
  })

  // The build is part of `npm test`, so `dist` is there.
  const bin = new URL("dist/bin/tour.js", root).pathname

  it("stops at once on SIGINT, and shows no colour outside a terminal", async () => {
    const child = spawn(process.execPath, [bin], { stdio: ["ignore", "pipe", "inherit"] })
    const exited = once(child, "exit")
    let output = ""
    for await (const chunk of child.stdout) {
      output += String(chunk)
      if (output.includes("healthy: success")) break
    }
    child.kill("SIGINT")
    assert.deepStrictEqual(await exited, [130, null])
    assert.notInclude(output, "\u001b")
  }, 20_000)

  it("fails with one line when the registration cannot be read", async () => {
    const child = spawn(process.execPath, [bin, "/nowhere/registration.yaml"], { stdio: ["ignore", "pipe", "pipe"] })
    const exited = once(child, "exit")
    let output = ""
    for await (const chunk of child.stderr) output += String(chunk)
    assert.deepStrictEqual(await exited, [1, null])
    assert.match(output, /^\/nowhere\/registration\.yaml cannot be read: .*\n$/)
  }, 20_000)
})
