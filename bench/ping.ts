/**
 * Measures both handlers beside a bare hand-written `node:http` handler that does the same work.
 *
 * Every round measures each server once, in turn, so that a noisy machine disturbs all of them alike; what is reported
 * is the ratio to the bare handler of the same round, its median and its range.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as http from "node:http"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import { fixture, requests } from "./fixture.ts"
import { measure } from "./load.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    millis: { type: "string", default: "400" },
    connections: { type: "string", default: "16" }
  }
})

type Ports = Readonly<Record<string, number>>

const median = (numbers: ReadonlyArray<number>): number => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] ?? 0 : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

const pad = (cells: ReadonlyArray<string>): string =>
  cells.map((cell, i) => i === 0 ? cell.padEnd(34) : cell.padStart(14)).join("")

const compare = async (side: string, ports: Ports, request: Buffer): Promise<void> => {
  const options = { request, connections: Number(values.connections), millis: Number(values.millis) }
  const names = Object.keys(ports)
  const rates = new Map<string, Array<number>>(names.map((name) => [name, []]))
  for (let round = -2; round < Number(values.rounds); round++) {
    for (const name of names) {
      const rate = await measure({ ...options, port: ports[name] ?? 0 })
      // The first two rounds warm the servers up.
      if (round >= 0) rates.get(name)?.push(rate)
    }
  }
  const bare = rates.get("bare") ?? []
  console.log(`\n${side}`)
  console.log(pad(["", "of bare", "lowest", "highest", "answers/s"]))
  for (const [name, own] of rates) {
    const ratios = own.map((rate, round) => rate / (bare[round] ?? Number.NaN))
    console.log(pad([
      name,
      median(ratios).toFixed(2),
      Math.min(...ratios).toFixed(2),
      Math.max(...ratios).toFixed(2),
      median(own).toFixed(0)
    ]))
  }
}

/** The one appservice that every homeserver of the run calls. */
const target = http.createServer((request, response) => {
  request.resume()
  request.on(
    "end",
    () => response.writeHead(200, { "content-type": "application/json", "content-length": 2 }).end("{}")
  )
})
target.listen(0, "127.0.0.1")
await once(target, "listening")
const address = target.address()
const port = typeof address === "object" && address !== null ? address.port : 0

const servers = spawn(process.execPath, [new URL("servers.ts", import.meta.url).pathname, String(port)], {
  stdio: ["ignore", "pipe", "inherit"]
})
try {
  const [line] = await Promise.race([
    once(createInterface(servers.stdout), "line"),
    once(servers, "exit").then(() => {
      throw new Error("the servers did not start")
    })
  ])
  const ports: { readonly homeserver: Ports; readonly appservice: Ports } = JSON.parse(String(line))
  const request = requests(fixture(port))
  console.log(`${values.rounds} rounds of ${values.millis} ms for each server, ${values.connections} connections`)
  await compare(
    "Homeserver: POST /_matrix/client/v1/appservice/{id}/ping, its call to the appservice included",
    ports.homeserver,
    request.homeserver
  )
  await compare("Appservice: POST /_matrix/app/v1/ping", ports.appservice, request.appservice)
} finally {
  servers.kill()
  target.close()
  target.closeAllConnections()
}
