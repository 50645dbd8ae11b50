/** Raw clients: a ping that is measured, and connections that are up to no good. */
import { connect, type Socket } from "node:net"

/** The bytes of a ping of an appservice. */
export const ping = (id: string, body = "{}", token = `as_${id}`): string =>
  `POST /_matrix/client/v1/appservice/${id}/ping HTTP/1.1\r\nHost: load\r\nAuthorization: Bearer ${token}\r\n` +
  `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`

/** Sends bytes on a connection of its own: the status of the answer, or 0 where there is none. */
export const ask = (port: number, bytes: string, limitMillis = 30_000): Promise<number> =>
  new Promise((resolve) => {
    let text = ""
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.write(bytes))
    const timer = setTimeout(() => socket.destroy(), limitMillis)
    socket.setEncoding("latin1")
    socket.on("data", (chunk: string) => text += chunk)
    socket.on("error", () => {})
    socket.on("close", () => {
      clearTimeout(timer)
      resolve(Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0))
    })
  })

/** Opens so many connections, which do with each what they are told. */
export const open = async (port: number, count: number, use: (socket: Socket) => void): Promise<() => void> => {
  const sockets: Array<Socket> = []
  // Not all in one turn: a listener has a queue of its own, in the kernel.
  for (let i = 0; i < count; i++) {
    const socket = connect({ port, host: "127.0.0.1" })
    socket.on("error", () => {})
    socket.on("connect", () => use(socket))
    socket.resume()
    sockets.push(socket)
    if (i % 64 === 63) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return () => {
    for (const socket of sockets) socket.destroy()
  }
}

export const median = (numbers: ReadonlyArray<number>): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN

/** What healthy pings saw: milliseconds of one in the middle, and how many did not succeed. */
export interface Health {
  readonly p50: number
  readonly failed: number
}

/** Pings a healthy appservice, one ping after the other. */
export const health = async (port: number, pings: number): Promise<Health> => {
  const millis: Array<number> = []
  let failed = 0
  for (let i = 0; i < pings; i++) {
    const start = performance.now()
    if (await ask(port, ping("healthy")) === 200) millis.push(performance.now() - start)
    else failed++
  }
  return { p50: median(millis), failed }
}
