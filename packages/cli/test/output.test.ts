import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { writeFailureOf } from "../src/internal/output.ts"
import { run, start, startAppservice } from "./support/Cli.ts"
import { write, writeRegistration } from "./support/files.ts"
import * as InProcess from "./support/inProcess.ts"

const bin = join(import.meta.dirname, "../bin/appservice-ping.js")

/** Runs a line of bash, in which `$cli` is the command; gives the exit code of its first process. */
const shell = (line: string, env: Readonly<Record<string, string>>) =>
  Effect.acquireUseRelease(
    Effect.sync(() =>
      spawn("bash", ["-c", `cli() { "${process.execPath}" "${bin}" "$@"; }; ${line}; exit \${PIPESTATUS[0]}`], {
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true
      })
    ),
    (child) =>
      Effect.callback<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>((resume) => {
        let stdout = ""
        let stderr = ""
        child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text))
        child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text))
        child.once("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
      }),
    // A command that runs on would outlive its shell.
    (child) =>
      Effect.sync(() => {
        if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
      })
  )

const site = Effect.gen(function*() {
  const appservice = yield* InProcess.appservice()
  const file = yield* writeRegistration({ url: appservice.origin })
  return { FILE: file, HOMESERVER: yield* InProcess.homeserver({ url: appservice.origin }) }
})

const directory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "appservice-ping-output-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

const watch = "cli watch --registration \"$FILE\" --homeserver \"$HOMESERVER\" --interval '50 millis'"

describe("a reader that goes away", () => {
  it.live("ends a watch with exit code 0, and leaves it nothing to say", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* shell(`${watch} --json | head -1`, yield* site)
      assert.lengthOf(stdout.trimEnd().split("\n"), 1)
      assert.deepStrictEqual([code, stderr], [0, ""])
    }))

  it.live("ends a command that has not done its job as SIGPIPE would", () =>
    Effect.gen(function*() {
      const { code, stderr } = yield* shell("cli scenario run --capsules \"$CAPSULES\" | head -1", {
        CAPSULES: yield* directory
      })
      assert.deepStrictEqual([code, stderr], [141, ""])
    }))
})

// Linux has a device that is always full.
describe.skipIf(!existsSync("/dev/full"))("a full disk", () => {
  for (
    const [title, line] of [
      ["ping", "cli ping --registration \"$FILE\" --homeserver \"$HOMESERVER\" > /dev/full"],
      ["watch", `${watch} > /dev/full`],
      ["scenario list", "cli scenario list > /dev/full"],
      ["--help", "cli --help > /dev/full"]
    ] as const
  ) {
    it.live(`${title}: one line on stderr and exit code 1`, () =>
      Effect.gen(function*() {
        const { code, stderr } = yield* shell(line, yield* site)
        assert.deepStrictEqual([code, stderr], [1, "cannot write the output: the disk is full\n"])
      }))
  }

  it.live("ends no server, but its exit code is 1", () =>
    Effect.gen(function*() {
      const file = yield* writeRegistration()
      const { code, stderr } = yield* shell(
        "timeout --preserve-status 2 \"$NODE\" \"$BIN\" appservice --port 0 --registration \"$FILE\" > /dev/full",
        { FILE: file, NODE: process.execPath, BIN: bin }
      )
      assert.deepStrictEqual([code, stderr], [1, "cannot write the output: the disk is full\n"])
    }))
})

describe("a server whose reader goes away", () => {
  it.live("goes on, and SIGTERM ends it within a second with exit code 0", () =>
    Effect.gen(function*() {
      const running = yield* startAppservice("--registration", yield* writeRegistration())
      yield* running.deafen
      for (let i = 0; i < 3; i++) {
        yield* Effect.promise(() => fetch(`${running.origin}/_matrix/app/v1/ping`, { method: "POST" }))
      }
      const from = performance.now()
      yield* running.kill("SIGTERM")
      assert.strictEqual((yield* running.ended).code, 0)
      assert.isBelow(performance.now() - from, 1000)
    }))
})

describe("the error of a write", () => {
  it("is classified by its code", () => {
    assert.strictEqual(writeFailureOf({ code: "EPIPE" })._tag, "ReaderGone")
    assert.deepStrictEqual(writeFailureOf({ code: "EDQUOT" }), {
      _tag: "Unwritable",
      line: "cannot write the output: the disk quota is used up"
    })
    assert.deepStrictEqual(writeFailureOf(new Error("x")), { _tag: "Unwritable", line: "cannot write the output" })
  })
})

describe("a source that is empty", () => {
  it.live("/dev/null is refused at once", () =>
    Effect.gen(function*() {
      const from = performance.now()
      const { code, stderr } = yield* run(["ping", "--homeserver", "http://127.0.0.1:1", "--registration", "/dev/null"])
      assert.isBelow(performance.now() - from, 5000)
      assert.strictEqual(code, 2)
      assert.match(stderr, /^\/dev\/null: expected a mapping/)
    }))
})

const failing = `
name: NAME
plan:
  rules:
    - leg: to_appservice
      fault: { type: status, status: 503 }
pings:
  - expect: { answer: Success }
`

describe("a capsule that cannot be written", () => {
  it.live("is reported, leaves no half of it, and the other scenarios are played; the exit code is 1", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const capsules = join(path, "capsules")
      // What has the capsule's name already is a directory, so the last step fails: giving it its name.
      yield* Effect.promise(() => mkdir(join(capsules, "first-memory-0.json"), { recursive: true }))
      const files = yield* Effect.forEach(["first", "second"], (name) => {
        const file = join(path, `${name}.yaml`)
        return Effect.as(Effect.promise(() => writeFile(file, failing.replace("NAME", name))), file)
      })
      const { code, stderr, stdout } = yield* run(["scenario", "run", ...files, "--capsules", capsules])
      assert.match(
        stderr,
        /^.*first-memory-0\.json: the capsule cannot be written; choose another --capsules directory\n$/
      )
      assert.match(stdout, /FAIL +first[^]*FAIL +second[^]*replay with: .*second-memory-0\.json\n0 passed, 2 not\n$/)
      assert.strictEqual(code, 1)
      assert.deepStrictEqual((yield* Effect.promise(() => readdir(capsules))).toSorted(), [
        "first-memory-0.json",
        "second-memory-0.json"
      ])
    }))

  it.live("a directory that is a file: both are reported, and the exit code is 1", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const file = join(path, "first.yaml")
      yield* Effect.promise(() => writeFile(file, failing.replace("NAME", "first")))
      const running = yield* start(["scenario", "run", file, "--capsules", join(yield* write(""), "below")])
      const { code, stderr, stdout } = yield* running.ended
      assert.include(stderr, "the capsule cannot be written")
      assert.notInclude(stdout, "replay with")
      assert.strictEqual(code, 1)
    }))
})
