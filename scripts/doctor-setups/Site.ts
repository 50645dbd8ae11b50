/** Builds one set-up from real parts, and takes it down again: processes, sockets, files, proxies. */
import { type ChildProcess, spawn } from "node:child_process"
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer, type RequestListener, type Server } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Certificate } from "./certificates.ts"

/** The command line. */
export const bin = join(import.meta.dirname, "../../packages/cli/bin/appservice-ping.js")

/** Tokens that no output may hold. */
export const tokens = {
  as_token: "as_4f6b1d0c9e7a2b35",
  hs_token: "hs_8c2e5a7d1f3b6094",
  other_as_token: "as_other_77d1e0a95c",
  other_hs_token: "hs_other_3b9f6c28e4"
} as const

/** Fields of a registration. */
export interface Fields {
  readonly [name: string]: unknown
}

/** A process of the command line that has said where it listens. */
export interface Started {
  readonly origin: string
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const startMillisMax = 15_000

const stopMillisMax = 5000

const stopProcess = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    const timer = setTimeout(() => child.kill("SIGKILL"), stopMillisMax)
    child.once("close", () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill("SIGTERM")
  })

const portOf = (server: Server | TcpServer): number => {
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("a server without a port")
  return address.port
}

const listening = (server: Server | TcpServer, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, host, resolve)
  })

/** What is left must be taken down all the same, so that this never fails. */
const takeDown = async (end: () => unknown): Promise<void> => {
  try {
    await end()
  } catch (error) {
    console.error(error)
  }
}

/** The parts of one set-up. */
export class Site {
  readonly #ends: Array<() => unknown> = []
  #hasEnded = false
  #folder: string | undefined

  /** Runs at the end, the last first; at once where a set-up that took too long is still being built. */
  onEnd(end: () => unknown): void {
    if (this.#hasEnded) void takeDown(end)
    else this.#ends.push(end)
  }

  async end(): Promise<void> {
    this.#hasEnded = true
    for (const end of this.#ends.splice(0).toReversed()) await takeDown(end)
  }

  async folder(): Promise<string> {
    if (this.#folder === undefined) {
      const folder = await mkdtemp(join(tmpdir(), "doctor-setups-"))
      this.#folder = folder
      this.onEnd(() => rm(folder, { recursive: true, force: true }))
    }
    return this.#folder
  }

  async file(name: string, content: string): Promise<string> {
    const path = join(await this.folder(), name)
    await writeFile(path, content)
    await chmod(path, 0o600)
    return path
  }

  /** Writes a registration file. */
  registration(fields: Fields, name = "registration.yaml"): Promise<string> {
    return this.file(
      name,
      JSON.stringify({
        id: "telegram",
        url: "http://127.0.0.1:29317",
        as_token: tokens.as_token,
        hs_token: tokens.hs_token,
        sender_localpart: "telegrambot",
        namespaces: {},
        ...fields
      })
    )
  }

  /** Starts a process, and waits until it prints a line that fits. */
  process(
    command: string,
    args: ReadonlyArray<string>,
    ready: RegExp,
    env: NodeJS.ProcessEnv = {}
  ): Promise<ReadonlyArray<string>> {
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } })
      this.onEnd(() => stopProcess(child))
      let output = ""
      const fail = (why: string) => reject(new Error(`${command} ${args.join(" ")}: ${why}\n${output}`))
      const timer = setTimeout(() => fail("not ready in time"), startMillisMax)
      const onText = (text: string) => {
        output += text
        const found = ready.exec(output)
        if (found === null) return
        clearTimeout(timer)
        resolve([...found])
      }
      child.stdout.setEncoding("utf8").on("data", onText)
      child.stderr.setEncoding("utf8").on("data", onText)
      child.on("error", (error) => fail(error.message))
      child.on("close", () => {
        clearTimeout(timer)
        fail("it ended")
      })
    })
  }

  /** Starts the reference homeserver. */
  async homeserver(
    registration: string,
    options: { readonly args?: ReadonlyArray<string>; readonly env?: NodeJS.ProcessEnv; readonly port?: number } = {}
  ): Promise<Started> {
    const args = ["homeserver", "--registration", registration, "--port", `${options.port ?? 0}`]
    const [, origin = ""] = await this.process(
      process.execPath,
      [bin, ...args, ...options.args ?? []],
      /^homeserver ready at (\S+)$/m,
      options.env
    )
    return { origin }
  }

  /** Starts the reference appservice on a free port. */
  async appservice(registration: string): Promise<Started> {
    const args = ["appservice", "--registration", registration, "--host", "127.0.0.1", "--port", "0"]
    const [, origin = ""] = await this.process(process.execPath, [bin, ...args], /^appservice ready at (\S+)$/m)
    return { origin }
  }

  /** Starts a server that answers as it is told, over TLS with a certificate. */
  async server(answer: RequestListener, certificate?: Certificate): Promise<Started> {
    const server = certificate === undefined
      ? createServer(answer)
      : createTlsServer({ key: certificate.key, cert: certificate.cert }, answer)
    await listening(server, "127.0.0.1", 0)
    this.onEnd(() =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
    )
    return { origin: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${portOf(server)}` }
  }

  /** Starts a server below HTTP. */
  async socket(onSocket: (socket: Socket) => void): Promise<Started> {
    const sockets = new Set<Socket>()
    const server = createTcpServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => socket.destroy())
      onSocket(socket)
    })
    await listening(server, "127.0.0.1", 0)
    this.onEnd(() =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(resolve)
      })
    )
    return { origin: `http://127.0.0.1:${portOf(server)}` }
  }

  /**
   * A port of 127.0.0.2 where nothing listens. The same port of 127.0.0.1 is held, so that nobody else gets it.
   */
  async deadOrigin(): Promise<string> {
    const { origin } = await this.socket((socket) => socket.destroy())
    return `http://127.0.0.2:${new URL(origin).port}`
  }

  /** A port that is free now; for what must know its port before it starts. */
  async freePort(): Promise<number> {
    const server = createTcpServer()
    await listening(server, "127.0.0.1", 0)
    const port = portOf(server)
    await new Promise((resolve) => server.close(resolve))
    return port
  }

  /** Starts nginx with the content of a `server` block. */
  async nginx(nginx: string, block: (port: number) => string): Promise<Started> {
    const port = await this.freePort()
    const folder = await this.folder()
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) =>
      `${name}_temp_path ${folder}/${name}-${port};`
    )
    const config = await this.file(
      `nginx-${port}.conf`,
      [
        "daemon off;",
        "master_process off;",
        "worker_processes 1;",
        `pid ${folder}/nginx-${port}.pid;`,
        "error_log stderr notice;",
        "events { worker_connections 64; }",
        "http {",
        "access_log off;",
        ...temporary,
        `server { ${block(port)} }`,
        "}"
      ].join("\n")
    )
    await this.process(
      nginx,
      ["-e", "stderr", "-p", folder, "-c", config],
      /start worker process|using the "\w+" event method/
    )
    return { origin: `http://127.0.0.1:${port}` }
  }

  /** Runs the doctor to its end. */
  doctor(args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [bin, "doctor", "--json", ...args], {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, ...env }
      })
      this.onEnd(() => stopProcess(child))
      let stdout = ""
      let stderr = ""
      child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
      child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
      child.on("error", reject)
      child.on("close", (code) => resolve({ code, stdout, stderr }))
    })
  }
}
