/**
 * Meets every limit of a homeserver on purpose: `npm run load`.
 *
 * Each row attacks the homeserver, which runs in a process of its own, counts how the attack is answered, and pings a
 * healthy appservice meanwhile: no such ping may fail, and one in the middle may take twice as long as in idle time at
 * most, which is measured right before. A row that is too slow is measured again, because a machine has other work too.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer as createHttpServer } from "node:http"
import { createServer as createTcpServer, type Server, type Socket } from "node:net"
import { createInterface } from "node:readline"
import * as Client from "./client.ts"
import { limits } from "./limits.ts"

const pings = 200
const attempts = 3
const maxRatio = 2

interface Row {
  readonly name: string
  /** What each limit answers, and how often at least; more of it, or something else, is wrong. */
  readonly expected: (answers: ReadonlyMap<number, number>) => boolean
  /** Starts the attack; `end` ends it and gives the statuses that it was answered. */
  readonly attack: (port: number) => Promise<{ readonly end: () => Promise<ReadonlyArray<number>> }>
}

const count = (statuses: ReadonlyArray<number>): ReadonlyMap<number, number> => {
  const counts = new Map<number, number>()
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1)
  return counts
}

/** Connections that nobody counts the answers of. */
const connections = (amount: number, use: (socket: Socket) => void): Row["attack"] => async (port) => {
  const close = await Client.open(port, amount, use)
  return {
    end: () => {
      close()
      return Promise.resolve([])
    }
  }
}

/** Requests that are all sent at once. */
const atOnce = (amount: number, bytes: string): Row["attack"] => (port) => {
  const asked = Array.from({ length: amount }, () => Client.ask(port, bytes))
  return Promise.resolve({ end: () => Promise.all(asked) })
}

/** Requests that are sent all the time, so many a second. */
const flood = (perSecond: number, bytes: string): Row["attack"] => (port) => {
  const asked: Array<Promise<number>> = []
  const timer = setInterval(() => {
    for (let i = 0; i < perSecond / 50; i++) asked.push(Client.ask(port, bytes))
  }, 20)
  return Promise.resolve({
    end: () => {
      clearInterval(timer)
      return Promise.all(asked)
    }
  })
}

const only = (...statuses: ReadonlyArray<number>) => (answers: ReadonlyMap<number, number>): boolean =>
  [...answers.keys()].every((status) => statuses.includes(status)) &&
  statuses.every((status) => (answers.get(status) ?? 0) > 0)

const share = limits.maxConcurrentPingsPerAppservice

const rows: ReadonlyArray<Row> = [
  {
    name: `${3 * limits.maxConnections} silent connections (maxConnections ${limits.maxConnections})`,
    expected: () => true,
    attack: connections(3 * limits.maxConnections, () => {})
  },
  {
    name: `${limits.maxConnections} heads, a byte every 100 ms`,
    expected: () => true,
    attack: connections(limits.maxConnections, (socket) => {
      let sent = 0
      const head = Client.ping("healthy")
      const timer = setInterval(() => socket.write(head[sent++ % 40] ?? "x"), 100)
      socket.on("close", () => clearInterval(timer))
    })
  },
  {
    name: "200 requests a second without a token",
    expected: only(401),
    attack: flood(200, Client.ping("healthy", "{}", "nobody"))
  },
  {
    name: "100 requests a second with a head of 64 KB",
    expected: only(431),
    attack: flood(100, `POST /${"x".repeat(65_536)} HTTP/1.1\r\nHost: load\r\n\r\n`)
  },
  {
    name: `500 pings to an appservice that stalls (its share ${share})`,
    expected: (answers) => answers.get(504) === share && answers.get(429) === 500 - share && answers.size === 2,
    attack: atOnce(500, Client.ping("stalled"))
  },
  {
    name: "200 pings of 900 KB to an appservice that stalls (maxBodyBytesInFlight 16 MiB)",
    expected: (answers) =>
      (answers.get(504) ?? 0) > 0 && (answers.get(504) ?? 0) <= 4 && answers.get(429) === 200 - (answers.get(504) ?? 0),
    attack: atOnce(200, Client.ping("stalled", JSON.stringify({ transaction_id: "x".repeat(900_000) })))
  },
  ...(["chunk extensions", "informational answers", "a body", "a head"] as const).map((endless): Row => ({
    name: `8 pings to an appservice that answers ${endless} without an end`,
    expected: (answers) => [...answers.keys()].every((status) => status === 502 || status === 504 || status === 200),
    attack: atOnce(8, Client.ping(`endless-${endless.replaceAll(" ", "-")}`))
  }))
]

const listening = async (server: Server): Promise<string> => {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
}

/** An appservice that writes one thing after another until its connection is gone. */
const endless = (start: string, more: string): Server =>
  createTcpServer((socket) => {
    let closed = false
    socket.on("error", () => {})
    socket.on("close", () => closed = true)
    const write = (): void => {
      if (closed) return
      if (socket.write(more)) setImmediate(write)
      else socket.once("drain", write)
    }
    socket.once("data", () => {
      socket.write(start)
      write()
    })
    socket.resume()
  })

const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

const main = async (): Promise<number> => {
  const servers: Readonly<Record<string, Server>> = {
    healthy: createHttpServer((request, response) => {
      request.resume().on("end", () => response.end("{}"))
    }),
    stalled: createTcpServer((socket) => socket.on("error", () => {}).resume()),
    "endless-chunk-extensions": endless(`${head}Transfer-Encoding: chunked\r\n\r\n1`, `;${"x".repeat(8192)}`),
    "endless-informational-answers": endless("", `HTTP/1.1 102 Processing\r\nx: ${"y".repeat(4096)}\r\n\r\n`),
    "endless-a-body": endless(`${head}\r\n`, " ".repeat(8192)),
    "endless-a-head": endless("HTTP/1.1 200 OK\r\n", `x: ${"y".repeat(4096)}\r\n`)
  }
  const urls = Object.fromEntries(
    await Promise.all(Object.entries(servers).map(async ([id, server]) => [id, await listening(server)] as const))
  )
  const homeserver = spawn(process.execPath, [new URL("server.ts", import.meta.url).pathname, JSON.stringify(urls)], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const gone = once(homeserver, "exit").then(() => {
    throw new Error("the homeserver ended")
  })
  gone.catch(() => {})
  const [line] = await Promise.race([once(createInterface(homeserver.stdout), "line"), gone])
  const { port }: { readonly port: number } = JSON.parse(String(line))
  await Client.health(port, pings)

  let failed = 0
  for (const row of rows) {
    let said = ""
    let good = false
    for (let attempt = 0; attempt < attempts && !good; attempt++) {
      const idle = await Client.health(port, pings)
      const { end } = await row.attack(port)
      const loaded = await Client.health(port, pings)
      const answers = count(await end())
      const ratio = loaded.p50 / idle.p50
      good = loaded.failed === 0 && ratio <= maxRatio && row.expected(answers)
      said =
        `${idle.p50.toFixed(2)} ms idle, ${loaded.p50.toFixed(2)} ms then (${
          ratio.toFixed(2)
        }), ${loaded.failed} of ${pings} failed` +
        (answers.size === 0
          ? ""
          : `; answered ${[...answers].map(([status, times]) => `${status} × ${times}`).join(", ")}`)
    }
    if (!good) failed++
    console.log(`${good ? "ok    " : "FAILED"} ${row.name}\n       ${said}`)
  }
  homeserver.kill()
  for (const server of Object.values(servers)) server.close()
  console.log(`${rows.length - failed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

process.exit(await main())
