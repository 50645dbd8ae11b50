/** Passes requests on to a homeserver, and notes what was asked and with which status it was answered. */
import { createServer, request } from "node:http"
import type { Lab } from "./Lab.ts"

/** One request of an appservice, in the words of an access log; user names stand as they were sent. */
export interface Seen {
  readonly request: string
  readonly status: number
}

export interface Recorder {
  readonly url: string
  readonly seen: () => ReadonlyArray<Seen>
}

const seenMax = 200

/** Listens on a port of its own until the lab ends. */
export const record = (lab: Lab, homeserver: string): Promise<Recorder> =>
  new Promise((resolve, reject) => {
    const seen: Array<Seen> = []
    const server = createServer((incoming, outgoing) => {
      const { headers, method = "GET", url = "/" } = incoming
      const passed = request(new URL(url, homeserver), { method, headers, agent: false }, (answer) => {
        if (seen.length < seenMax) seen.push({ request: `${method} ${url}`, status: answer.statusCode ?? 0 })
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      passed.on("error", () => outgoing.destroy())
      incoming.pipe(passed)
    })
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      lab.onEnd(() =>
        new Promise((done) => {
          server.close(done)
          server.closeAllConnections()
        })
      )
      const address = server.address()
      if (address === null || typeof address === "string") return reject(new Error("no port"))
      resolve({ url: `http://127.0.0.1:${address.port}`, seen: () => [...seen] })
    })
  })
