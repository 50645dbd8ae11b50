/** A load generator on raw sockets: it costs little, so the servers are what is measured. */
import * as net from "node:net"
import { performance } from "node:perf_hooks"

const headEnd = Buffer.from("\r\n\r\n")

/** The length of the first answer in the buffer, or undefined while it is incomplete; throws unless it is a 200. */
const answerLength = (buffer: Buffer): number | undefined => {
  const end = buffer.indexOf(headEnd)
  if (end === -1) return undefined
  const head = buffer.toString("latin1", 0, end)
  if (!head.startsWith("HTTP/1.1 200")) throw new Error(`the server did not answer 200: ${head.split("\r\n", 1)[0]}`)
  const length = /content-length: (\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error("the answer has no Content-Length")
  const total = end + headEnd.length + Number(length)
  return buffer.length >= total ? total : undefined
}

const worker = (port: number, request: Buffer, until: () => boolean): Promise<number> =>
  new Promise((resolve, reject) => {
    let buffer = Buffer.alloc(0)
    let count = 0
    const socket = net.connect(port, "127.0.0.1", () => socket.write(request))
    socket.setNoDelay(true)
    socket.on("error", reject)
    socket.on("close", () => resolve(count))
    socket.on("data", (chunk) => {
      buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk])
      try {
        const length = answerLength(buffer)
        if (length === undefined) return
        buffer = buffer.subarray(length)
      } catch (error) {
        socket.destroy()
        return reject(error)
      }
      count++
      if (until()) socket.end()
      else socket.write(request)
    })
  })

/** Sends one request after another on each connection and returns the answers per second. */
export const measure = async (options: {
  readonly port: number
  readonly request: Buffer
  readonly connections: number
  readonly millis: number
}): Promise<number> => {
  const start = performance.now()
  const until = () => performance.now() - start >= options.millis
  const counts = await Promise.all(
    Array.from({ length: options.connections }, () => worker(options.port, options.request, until))
  )
  return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - start) / 1000)
}
