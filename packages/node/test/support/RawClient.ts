/** A client that sends any bytes, and says which bytes came back and how the connection ended. */
import { Effect } from "effect"
import { connect } from "node:net"

/** One answer as it stood on the wire. */
export interface RawAnswer {
  readonly statusLine: string
  readonly status: number
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: string
}

/** All that came back on one connection. */
export interface Heard {
  readonly answers: ReadonlyArray<RawAnswer>
  /** Bytes that are no complete answer. */
  readonly rest: string
  /** `fin` and `reset` by the server, `us` when everything that was waited for had come. */
  readonly closedBy: "fin" | "reset" | "us"
  readonly millis: number
}

export interface TalkOptions {
  /** Stop after this many answers; without it the server must close. */
  readonly answers?: number | undefined
  /** Close our side after sending. */
  readonly halfClose?: boolean | undefined
  /** Send everything, even if the server has closed its side. */
  readonly sendAll?: boolean | undefined
  /** The requests are HEAD, so no answer has a body. */
  readonly head?: boolean | undefined
}

const parseOne = (text: string, head: boolean): { readonly answer: RawAnswer; readonly rest: string } | undefined => {
  const end = text.indexOf("\r\n\r\n")
  if (end === -1) return undefined
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n")
  const headers: { [name: string]: string } = {}
  for (const line of lines) {
    const colon = line.indexOf(":")
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const length = head ? 0 : Number(headers["content-length"] ?? 0)
  const after = text.slice(end + 4)
  if (after.length < length) return undefined
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1])
  return { answer: { statusLine, status, headers, body: after.slice(0, length) }, rest: after.slice(length) }
}

const parse = (text: string, head: boolean): Pick<Heard, "answers" | "rest"> => {
  const answers: Array<RawAnswer> = []
  let rest = text
  for (;;) {
    const parsed = parseOne(rest, head)
    if (parsed === undefined) return { answers, rest }
    answers.push(parsed.answer)
    rest = parsed.rest
  }
}

/** Sends bytes to a port of this machine, and listens until the connection ends. */
export const talk = (
  port: number,
  parts: string | Uint8Array | ReadonlyArray<string | Uint8Array>,
  options: TalkOptions = {}
): Effect.Effect<Heard> =>
  Effect.callback((resume) => {
    const head = options.head ?? false
    const from = performance.now()
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true })
    let text = ""
    let closedBy: Heard["closedBy"] = "us"
    socket.on("connect", () => {
      for (const part of typeof parts === "string" || parts instanceof Uint8Array ? [parts] : parts) socket.write(part)
      if (options.halfClose === true) socket.end()
    })
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1")
      if (options.answers !== undefined && parse(text, head).answers.length >= options.answers) socket.destroy()
    })
    socket.on("end", () => {
      closedBy = "fin"
      if (options.sendAll === true && socket.writableLength > 0) socket.once("drain", () => socket.destroy())
      else socket.destroy()
    })
    socket.on("error", () => {
      closedBy = "reset"
    })
    socket.on(
      "close",
      () => resume(Effect.succeed({ ...parse(text, head), closedBy, millis: performance.now() - from }))
    )
    return Effect.sync(() => socket.destroy())
  })
