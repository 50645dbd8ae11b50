/** Runs the built command as a process of its own. */
import { Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { vi } from "vitest"

const bin = join(import.meta.dirname, "../../bin/appservice-ping.js")

// No test is about how long a busy machine takes to start a process.
vi.setConfig({ testTimeout: 30_000 })

type Signal = "SIGINT" | "SIGKILL" | "SIGTERM"

/** How a process ended, and everything it wrote. */
export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** A process that runs. */
export interface Running {
  /** Waits for a text on stdout; fails when the process ends without it. */
  readonly printed: (pattern: RegExp) => Effect.Effect<ReadonlyArray<string>>
  readonly ended: Effect.Effect<Ended>
  readonly kill: (signal: Signal) => Effect.Effect<void>
  /** Stops reading what the process writes. */
  readonly deafen: Effect.Effect<void>
}

/** Starts the command; it is killed at the end of the scope at the latest. */
export const start = (args: ReadonlyArray<string>): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "pipe"] })
      let stdout = ""
      let stderr = ""
      let ended: Ended | undefined
      const listeners = new Set<() => void>()
      const notify = () => {
        for (const listener of listeners) listener()
      }
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text
        notify()
      })
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text
      })
      child.once("close", (code, signal) => {
        ended = { code, signal, stdout, stderr }
        notify()
      })
      const when = <A>(poll: () => Effect.Effect<A> | undefined): Effect.Effect<A> =>
        Effect.callback((resume) => {
          const listener = () => {
            const result = poll()
            if (result === undefined) return
            listeners.delete(listener)
            resume(result)
          }
          listeners.add(listener)
          listener()
        })
      const running: Running = {
        printed: (pattern) =>
          when(() => {
            const found = pattern.exec(stdout)
            if (found !== null) return Effect.succeed([...found])
            return ended === undefined
              ? undefined
              : Effect.die(new Error(`the command ended without printing ${pattern}:\n${stdout}${stderr}`))
          }),
        ended: when(() => ended === undefined ? undefined : Effect.succeed(ended)),
        kill: (signal) => Effect.sync(() => child.kill(signal)),
        deafen: Effect.sync(() => {
          child.stdout.destroy()
          child.stderr.destroy()
        })
      }
      return running
    }),
    (running) => Effect.andThen(running.kill("SIGKILL"), running.ended)
  )

/** Runs the command to its end. */
export const run = (args: ReadonlyArray<string>): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(start(args), (running) => running.ended))

/** A server of the command line that has said where it is. */
export interface Serving extends Running {
  readonly origin: string
}

/** Starts the homeserver on a free port, and waits until it is ready. */
export const startHomeserver = (
  ...args: ReadonlyArray<string>
): Effect.Effect<Serving, never, Scope.Scope> =>
  Effect.gen(function*() {
    const running = yield* start(["homeserver", "--port", "0", ...args])
    const [, origin = ""] = yield* running.printed(/^homeserver ready at (http:\/\/127\.0\.0\.1:\d+)$/m)
    return { ...running, origin }
  })

/** Starts the appservice on a free port, and waits until it is ready; `path` is that of the registration's url. */
export const startAppservice = (
  ...args: ReadonlyArray<string>
): Effect.Effect<Serving & { readonly path: string }, never, Scope.Scope> =>
  Effect.gen(function*() {
    const running = yield* start(["appservice", "--port", "0", ...args])
    const [, origin = "", path = ""] = yield* running.printed(
      /^appservice ready at (http:\/\/127\.0\.0\.1:\d+)(\S*)$/m
    )
    return { ...running, origin, path }
  })
