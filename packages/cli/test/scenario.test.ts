import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { run } from "./support/Cli.ts"

const effectPackage = import.meta.resolve("effect/package.json")

const directory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "appservice-ping-scenario-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

const write = (file: string, text: string) => Effect.promise(() => writeFile(file, text))

const wrong = `
name: wrong-expectation
plan:
  rules:
    - leg: to_appservice
      fault: { type: status, status: 503 }
      when: { probability: 0.5 }
pings:
  - together: 20
    expect: { answer: Success }
`

describe("appservice-ping scenario", () => {
  it.live("gives the same bytes for the same seed in two processes, and others for another seed", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const play = (seed: string) =>
        run(["scenario", "run", "some-of-many", "appservice-starts-late", "--seed", seed, "--json", "--capsules", path])
      const [first, second, other] = yield* Effect.all([play("7"), play("7"), play("8")], { concurrency: 3 })
      assert.strictEqual(first.code, 0)
      assert.include(first.stdout, "\"event\":\"decided\"")
      assert.strictEqual(first.stdout, second.stdout)
      assert.notStrictEqual(first.stdout, other.stdout)
    }))

  it.live("writes a capsule for what did not pass, and replays it", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const file = join(path, "wrong.yaml")
      const capsules = join(path, "all capsules")
      yield* write(file, wrong)
      const failed = yield* run(["scenario", "run", file, "--seed", "3", "--capsules", capsules])
      assert.strictEqual(failed.code, 1)
      assert.match(failed.stdout, /FAIL +wrong-expectation \(memory, seed 3\)/)
      assert.include(failed.stdout, "answered M_BAD_STATUS, expected Success")
      const capsule = join(capsules, "wrong-expectation-memory-3.json")
      assert.include(failed.stdout, `replay with: appservice-ping scenario replay '${capsule}'`)

      const same = yield* run(["scenario", "replay", capsule])
      assert.deepStrictEqual([same.code, same.stdout.trimEnd().split("\n").at(-1)], [0, "The same as in the capsule."])

      const text = yield* Effect.promise(() => readFile(capsule, "utf8"))
      const effect = JSON.parse(yield* Effect.promise(() => readFile(fileURLToPath(effectPackage), "utf8")))
      assert.propertyVal(JSON.parse(text).versions, "effect", effect.version)
      yield* write(capsule, text.replace("\"status\": 503", "\"status\": 502"))
      const changed = yield* run(["scenario", "replay", capsule])
      assert.strictEqual(changed.code, 1)
      assert.include(changed.stderr, "This run is not the one in the capsule")
    }))

  it.live("never passes a scenario whose fault was not played, nor one that asks nothing", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const file = join(path, "idle.yaml")
      const idle = wrong.replace("when: { probability: 0.5 }", "match: { transaction_id: nobody }")
      yield* write(file, idle)
      const unplayed = yield* run(["scenario", "run", file, "--capsules", path])
      assert.strictEqual(unplayed.code, 1)
      assert.match(unplayed.stdout, /NOT APPLIED +wrong-expectation.*\n +rule-1 never matched anything/)

      yield* write(file, idle.replace(/pings:[^]*/, "pings: []").replace(/rules:[^]*(?=pings)/, "rules: []\n"))
      const empty = yield* run(["scenario", "run", file, "--capsules", path])
      assert.strictEqual(empty.code, 1)
      assert.match(empty.stdout, /INCONCLUSIVE +wrong-expectation.*\n +nothing was asked/)
    }))

  it.live("names file, field and the nearest known name, and leaves nothing behind", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const file = join(path, "typo.yaml")
      yield* write(file, wrong.replace("type: status", "type: statsu").replace("probability", "probabilty"))
      const { code, stderr } = yield* run(["scenario", "run", file, "--capsules", join(path, "capsules")])
      assert.strictEqual(code, 2)
      assert.include(stderr, `${file}:6: plan.rules[0].fault.type: unknown fault "statsu"; did you mean "status"?`)
      assert.include(stderr, "did you mean \"probability\"?")
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(path)), ["typo.yaml"])
    }))

  it.live("plays on sockets too, and shows a scenario of the library as a file that can be played", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const { stdout } = yield* run(["scenario", "show", "hs-token-drift"])
      const file = join(path, "own.yaml")
      yield* write(file, stdout)
      const played = yield* run(["scenario", "run", file, "--interpreter", "wire", "--capsules", path])
      assert.deepStrictEqual([played.code, played.stderr], [0, ""])
      assert.match(played.stdout, /^ok +hs-token-drift \(wire, seed 0\): M_BAD_STATUS\n1 passed, 0 not\n$/)
    }))
})
