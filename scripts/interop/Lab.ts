/** The processes, files and ports of one run: what it starts, it ends. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** The command line of this repository. */
export const bin = join(import.meta.dirname, "../../packages/cli/bin/appservice-ping.js")

/** How a process is started. */
export interface Command {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
}

/** A process that runs, and everything that it has printed. */
export interface Running {
  readonly output: () => string
  /** The first match of a pattern in the output, once there is one; fails when the process ends or time is over. */
  readonly until: (pattern: RegExp, millis: number) => Promise<RegExpExecArray>
  readonly stop: () => Promise<void>
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const outputMax = 4 * 1024 * 1024

const stopMillisMax = 5000

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const stopProcess = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (hasEnded(child) || child.pid === undefined) return resolve()
    const timer = setTimeout(() => child.kill("SIGKILL"), stopMillisMax)
    child.once("close", () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill("SIGTERM")
  })

const tail = (text: string): string => text.trimEnd().split("\n").slice(-15).join("\n")

export class Lab {
  readonly #ends: Array<() => Promise<unknown>> = []
  #folder: Promise<string> | undefined

  /** Runs at the end, the last first. */
  onEnd(end: () => Promise<unknown>): void {
    this.#ends.push(end)
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).toReversed()) {
      await end().catch((error: unknown) => console.error(error))
    }
  }

  folder(): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), "interop-")).then((folder) => {
      this.#ends.unshift(() => rm(folder, { recursive: true, force: true }))
      return folder
    })
    return this.#folder
  }

  async file(name: string, content: string): Promise<string> {
    const path = join(await this.folder(), name)
    await writeFile(path, content, { mode: 0o600 })
    return path
  }

  /** A port of the loopback interface that nothing listens on now. */
  freePort(): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = createServer()
      server.once("error", reject)
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        server.close(() =>
          address === null || typeof address === "string" ? reject(new Error("no port")) : resolve(address.port)
        )
      })
    })
  }

  /** Starts a process that runs until the lab ends. */
  start({ args, command, cwd, env = {} }: Command): Running {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env }, cwd })
    this.onEnd(() => stopProcess(child))
    let output = ""
    let ended: string | undefined
    const listeners = new Set<() => void>()
    const tell = () => {
      for (const listener of listeners) listener()
    }
    const onText = (text: string) => {
      output = (output + text).slice(-outputMax)
      tell()
    }
    child.stdout.setEncoding("utf8").on("data", onText)
    child.stderr.setEncoding("utf8").on("data", onText)
    child.on("error", (error) => {
      ended = error.message
      tell()
    })
    child.on("close", (code, signal) => {
      ended ??= `it ended with ${code ?? signal}`
      tell()
    })
    const until = (pattern: RegExp, millis: number): Promise<RegExpExecArray> =>
      new Promise((resolve, reject) => {
        const finish = () => {
          clearTimeout(timer)
          listeners.delete(look)
        }
        const fail = (why: string) => {
          finish()
          reject(new Error(`${command} ${args.join(" ")}: ${why}\n${tail(output)}`))
        }
        const look = () => {
          const found = pattern.exec(output)
          if (found !== null) {
            finish()
            resolve(found)
          } else if (ended !== undefined) fail(ended)
        }
        const timer = setTimeout(() => fail(`no ${pattern} within ${millis / 1000} s`), millis)
        listeners.add(look)
        look()
      })
    return { output: () => output, until, stop: () => stopProcess(child) }
  }

  /** Runs a process to its end. */
  run({ args, command, cwd, env = {} }: Command, millis: number): Promise<Ended> {
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env }, cwd })
      this.onEnd(() => stopProcess(child))
      const out = { stdout: "", stderr: "" }
      const timer = setTimeout(() => child.kill("SIGKILL"), millis)
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        out.stdout = (out.stdout + text).slice(-outputMax)
      })
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        out.stderr = (out.stderr + text).slice(-outputMax)
      })
      child.on("error", (error) => {
        clearTimeout(timer)
        reject(error)
      })
      child.on("close", (code, signal) => {
        clearTimeout(timer)
        if (signal === "SIGKILL") out.stderr += `\nstopped after ${millis / 1000} s`
        resolve({ code, ...out })
      })
    })
  }

  /** Runs the command line of this repository. */
  cli(args: ReadonlyArray<string>, millis: number, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return this.run({ command: process.execPath, args: [bin, ...args], env }, millis)
  }

  /** Starts a command of the command line that serves until the lab ends. */
  serve(args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): Running {
    return this.start({ command: process.execPath, args: [bin, ...args], env })
  }
}
