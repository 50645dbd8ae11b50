/**
 * Go's `net/http`: measured where Go is there and somebody asks for it (`MEASURE_GO=1 npm run generate`), and kept as it
 * was measured everywhere else, because the tests need nothing but npm.
 */
import { ca } from "@appservice-ping/testbed/carrier/tls/Certificates"
import { Effect, Exit, type Scope } from "effect"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface, type Interface } from "node:readline"
import type { Cell, Raised } from "./Cell.ts"
import type { Client } from "./clients.ts"

/** The name of the client in the table. */
export const name = "Go net/http"

/** Whether this run measures it. */
export const isMeasured = process.env["MEASURE_GO"] === "1"

interface Line {
  readonly event: "head" | "done"
  readonly status?: number
  readonly bytes: number
  readonly errors?: ReadonlyArray<Raised>
  readonly text?: string
}

interface Program {
  readonly child: ChildProcess
  readonly lines: Interface
}

const source = join(import.meta.dirname, "go")

/** The version of Go, as its `go version` names it. */
export const version = (): string =>
  execFileSync("go", ["env", "GOVERSION"], { encoding: "utf8" }).trim().replace(/^go/, "")

const build: Effect.Effect<string, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "appservice-ping-go-"))),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  ),
  (directory) => {
    const program = join(directory, "client")
    execFileSync("go", ["build", "-o", program, "."], { cwd: source, stdio: "inherit" })
    writeFileSync(join(directory, "ca.pem"), ca)
    return program
  }
)

const start = (program: string): Effect.Effect<Program, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(program, [], {
        stdio: ["pipe", "pipe", "ignore"],
        env: { SSL_CERT_FILE: join(program, "../ca.pem"), SSL_CERT_DIR: "/nowhere" }
      })
      return { child, lines: createInterface({ input: child.stdout }) }
    }),
    ({ child }) => Effect.sync(() => child.kill())
  )

/** Ports and times change from run to run. */
const steady = (text: string): string =>
  text.replaceAll(/127\.0\.0\.1:\d+/g, "HOST:PORT").replaceAll(/current time \S+/g, "current time NOW")

const cellOf = (line: Line, phase: "head" | "body"): Cell =>
  line.errors === undefined
    ? { result: "answer", status: line.status ?? 0, bytes: line.bytes }
    : { result: "foreign", phase, errors: line.errors, text: steady(line.text ?? "") }

/** Builds the program; the client it gives starts one process for each set of connections. */
export const make: Effect.Effect<Client, never, Scope.Scope> = Effect.map(build, (program) => ({
  name,
  make: Effect.map(start(program), ({ child, lines }) => (url, progress) =>
    Effect.callback<Cell>((resume) => {
      const onLine = (text: string): void => {
        const line: Line = JSON.parse(text)
        if (line.event === "head") progress.phase = "body"
        else {
          lines.off("line", onLine)
          resume(Exit.succeed(cellOf(line, progress.phase)))
        }
      }
      lines.on("line", onLine)
      child.stdin?.write(`${url.href}\n`)
      return Effect.sync(() => {
        lines.off("line", onLine)
        child.stdin?.write("cancel\n")
      })
    }))
}))
