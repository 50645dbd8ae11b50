/** Sends the bytes of an input over a connection, and keeps what comes back. */
import type { Duplex } from "node:stream"
import { setImmediate } from "node:timers/promises"
import type { Input } from "./Corpus.ts"

/** What a server sent, and how the connection ended. */
export interface Observed {
  readonly bytes: Uint8Array
  /** Whether the server closed the connection, or let it be closed, within the time. */
  readonly isClosed: boolean
  readonly millis: number
}

export interface Patience {
  /** How long to wait for the first byte of an answer, in milliseconds. */
  readonly answerMillis: number
  /** How long the server has to close the connection after it was asked to, in milliseconds. */
  readonly closeMillis: number
}

/** How long nothing has to come before an answer counts as the last one, in milliseconds. */
const quietMillis = 3

/** The most that is kept of what a server sends. */
const maxObservedBytes = 4 * 1024 * 1024

const write = async (connection: Duplex, { bytes, cuts }: Input): Promise<void> => {
  let from = 0
  for (const to of [...cuts, bytes.length]) {
    if (connection.destroyed || !connection.writable) return
    // With a turn of the event loop between two writes, they arrive as two.
    if (from > 0) await setImmediate()
    connection.write(bytes.subarray(from, to))
    from = to
  }
}

const reset = (connection: Duplex): void => {
  if ("resetAndDestroy" in connection && typeof connection.resetAndDestroy === "function") connection.resetAndDestroy()
  else connection.destroy()
}

/** Runs one exchange; it never rejects, and takes no longer than its patience. */
export const run = async (connection: Duplex, input: Input, patience: Patience): Promise<Observed> => {
  const start = performance.now()
  const chunks: Array<Uint8Array> = []
  let length = 0
  let isClosed = false
  let wake = (): void => {}
  const changed = (millis: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, millis)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  connection.on("data", (chunk: Uint8Array) => {
    length += chunk.length
    if (length <= maxObservedBytes) chunks.push(chunk)
    wake()
  })
  const onClose = (): void => {
    isClosed = true
    wake()
  }
  connection.on("end", onClose)
  connection.on("close", onClose)
  connection.on("error", onClose)

  const waitFor = async (millis: number, isOver: () => boolean): Promise<void> => {
    const until = performance.now() + millis
    while (!isOver() && performance.now() < until) await changed(until - performance.now())
  }
  const quiet = async (): Promise<void> => {
    for (let before = -1; before !== length;) {
      before = length
      if (!isClosed) await changed(quietMillis)
    }
  }
  await write(connection, input)
  if (input.ending === "rst") {
    await setImmediate()
    reset(connection)
    return { bytes: new Uint8Array(), isClosed: true, millis: performance.now() - start }
  }
  await waitFor(patience.answerMillis, () => isClosed || length > 0)
  await quiet()
  if (!connection.destroyed) connection.end()
  await waitFor(patience.closeMillis, () => isClosed)
  // A reset leaves no port behind that waits for a minute.
  reset(connection)
  return { bytes: Buffer.concat(chunks), isClosed, millis: performance.now() - start }
}
