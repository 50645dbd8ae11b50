/** The least that turns `node:http` into web-standard requests, as the adapters of web frameworks do. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"

/** A body that is read only as far as the handler asks, and whose rest is left alone when the handler stops. */
const bodyOf = (message: IncomingMessage): ReadableStream<Uint8Array> | null => {
  const { headers, method } = message
  if (method === "GET" || method === "HEAD") return null
  if (headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0) return null
  const chunks = message.iterator({ destroyOnReturn: false })
  return new ReadableStream({
    async pull(controller) {
      const next: IteratorResult<Uint8Array> = await chunks.next()
      if (next.done === true) controller.close()
      else controller.enqueue(next.value)
    },
    async cancel() {
      await chunks.return?.()
      message.resume()
    }
  })
}

const requestOf = (message: IncomingMessage, signal: AbortSignal): Request => {
  const body = bodyOf(message)
  return new Request(`http://homeserver.test${message.url ?? "/"}`, {
    method: message.method ?? "GET",
    headers: Object.entries(message.headers).flatMap(([name, value]): Array<[string, string]> =>
      value === undefined ? [] : Array.isArray(value) ? value.map((one) => [name, one]) : [[name, value]]
    ),
    signal,
    ...(body === null ? {} : { body, duplex: "half" })
  })
}

const answer = async (
  handler: (request: Request) => Promise<Response>,
  message: IncomingMessage,
  to: ServerResponse
): Promise<void> => {
  const controller = new AbortController()
  to.on("close", () => {
    if (!to.writableFinished) controller.abort()
  })
  try {
    const response = await handler(requestOf(message, controller.signal))
    const body = Buffer.from(await response.arrayBuffer())
    to.writeHead(response.status, {
      ...Object.fromEntries(response.headers),
      ...(response.status === 204 ? {} : { "content-length": String(body.length) })
    })
    to.end(body)
  } catch {
    to.destroy()
  }
}

/** A listener for `http.createServer` that passes every request to a web-standard handler. */
export const listener = (handler: (request: Request) => Promise<Response>): RequestListener => (message, to) => {
  void answer(handler, message, to)
}
