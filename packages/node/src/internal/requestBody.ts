/** Reads the body of a request, as much of it as is wanted. */
import * as BoundedBody from "@appservice-ping/domain/BoundedBody"
import { BodyError } from "@appservice-ping/server/Exchange"
import { Effect } from "effect"
import type { IncomingMessage } from "node:http"

const declaredLength = (request: IncomingMessage): number | undefined => {
  const header = request.headers["content-length"]
  return header === undefined ? undefined : Number(header)
}

/** Checks whether a request has a body at all; the parser has already refused contradictory headers. */
export const isPresent = (request: IncomingMessage): boolean =>
  request.headers["transfer-encoding"] !== undefined || (declaredLength(request) ?? 0) > 0

/** Checks whether the rest of a body is known to be at most `maxBytes`. */
export const isShort = (request: IncomingMessage, maxBytes: number): boolean =>
  request.headers["transfer-encoding"] === undefined && (declaredLength(request) ?? 0) <= maxBytes

const tooLarge = Effect.fail(new BodyError({ reason: "TooLarge" }))

const aborted = Effect.fail(new BodyError({ reason: "Aborted" }))

/**
 * Reads a body of at most `maxBytes`. `onStart` runs only once the body is acceptable: that is the time to ask a
 * client that waits with `Expect` for it.
 */
export const read = (
  request: IncomingMessage,
  maxBytes: number,
  onStart: () => void
): Effect.Effect<Uint8Array, BodyError> =>
  Effect.callback((resume) => {
    const collected = new BoundedBody.Collector(maxBytes)
    if ((declaredLength(request) ?? 0) > maxBytes) return resume(tooLarge)
    if (request.destroyed || request.readableEnded) return resume(aborted)
    const stop = () => {
      request.off("data", onData)
      request.off("end", onEnd)
      request.off("close", onClose)
      request.pause()
    }
    const onData = (chunk: Uint8Array) => {
      if (collected.add(chunk) !== "over") return
      stop()
      resume(tooLarge)
    }
    const onEnd = () => {
      stop()
      resume(Effect.succeed(collected.bytes()))
    }
    const onClose = () => {
      stop()
      resume(aborted)
    }
    request.on("data", onData)
    request.on("end", onEnd)
    request.on("close", onClose)
    onStart()
    return Effect.sync(stop)
  })
