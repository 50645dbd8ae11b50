import { Effect, type Scope } from "effect"
import { connect, type Socket } from "node:net"

const closed = (socket: Socket, onData: () => void): Effect.Effect<string> =>
  Effect.callback((resume) => {
    let text = ""
    socket.setEncoding("utf8")
    socket.on("data", (data: string) => {
      text += data
      onData()
    })
    socket.on("error", () => {})
    socket.on("close", () => resume(Effect.succeed(text)))
  })

/** Sends these bytes and no others, and gives everything that came back until the connection ended. */
export const rawRequest = (
  url: URL,
  bytes: string,
  onData: () => void = () => {}
): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function*() {
    const socket = yield* Effect.acquireRelease(
      Effect.sync(() => connect({ host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) })),
      (socket) => Effect.sync(() => socket.destroy())
    )
    socket.write(bytes)
    return yield* closed(socket, onData)
  })

/** A request with these headers and no others; the connection ends with the answer. */
export const request = (
  url: URL,
  head: string,
  headers: { readonly [name: string]: string },
  body: string = ""
): Effect.Effect<string, never, Scope.Scope> =>
  rawRequest(
    url,
    [
      `${head} HTTP/1.1`,
      ...Object.entries({ Connection: "close", ...headers }).map(([name, value]) => `${name}: ${value}`),
      ...body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`],
      "",
      body
    ].join("\r\n")
  )

export const statusOf = (answer: string): number => Number(answer.split(" ")[1])

export const bodyOf = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4))
