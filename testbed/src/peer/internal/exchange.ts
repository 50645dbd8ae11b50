/** A homeserver's request to an appservice, as its HTTP client sends and reads it. */
import { Bytes, Clock, Duration, Effect, type Scope } from "effect"
import type { PeerClient } from "../HomeserverPeer.ts"
import { type PeerAnswer, PeerFailure, type PeerOutcome } from "../PeerOutcome.ts"
import type { Arrival, PeerConnection, PeerTransport } from "../PeerTransport.ts"
import { bodyReader, type Head, readHead } from "./http1.ts"
import type { PeerRequest } from "./peerRequest.ts"
import type { Lease, Pool } from "./pool.ts"
import * as Redirect from "./redirect.ts"

/** What the client has come to; it decides what it calls a timeout. */
interface Progress {
  failure: PeerFailure
}

const timeout = "timeout" as const

const limited = <A>(effect: Effect.Effect<A, PeerFailure, Scope.Scope>, limit: Duration.Duration, progress: Progress) =>
  Effect.timeoutOrElse(effect, { duration: limit, orElse: () => Effect.suspend(() => Effect.fail(progress.failure)) })

/** Connects, with TLS where the URL has it. */
const connect = Effect.fnUntraced(function*(
  client: PeerClient,
  transport: PeerTransport,
  url: URL,
  progress: Progress
): Effect.fn.Return<PeerConnection, PeerFailure, Scope.Scope> {
  const { connect: limit, connectCovers } = client.timeouts
  progress.failure = PeerFailure.NotConnected({ why: timeout })
  if (url.protocol !== "https:") {
    return yield* limited(Effect.flatMap(transport.open(url), ({ plain }) => plain), limit, progress)
  }
  const secured = (open: typeof transport.open) =>
    Effect.flatMap(open(url), ({ secure }) => {
      progress.failure = PeerFailure.NotSecured({ why: timeout })
      return secure
    })
  const { certificate, connection } = yield* connectCovers === "tls"
    ? limited(secured(transport.open), limit, progress)
    : secured((url) => limited(transport.open(url), limit, progress))
  return certificate.problems.length === 0 ? connection : yield* Effect.fail(PeerFailure.BadCertificate(certificate))
})

const bytesOf = ({ body, headers, method, url }: PeerRequest): Uint8Array => {
  const content = Buffer.from(body)
  const lines = Object.entries(method === "GET" ? headers : { ...headers, "content-length": String(content.length) })
  const head = [
    `${method} ${url.pathname}${url.search} HTTP/1.1`,
    `host: ${url.host}`,
    ...lines.map(([name, value]) => `${name}: ${value}`),
    "",
    ""
  ]
  return Bytes.concat([Buffer.from(head.join("\r\n"), "latin1"), content])
}

const ended = (arrival: Extract<Arrival, { _tag: "Ended" }>, received: number): PeerFailure =>
  received === 0 ? PeerFailure.Unanswered({ how: arrival.how }) : PeerFailure.HeadBroken({ how: arrival.how })

/** Waits for the head of the answer. */
const headFrom = Effect.fnUntraced(function*(
  client: PeerClient,
  connection: PeerConnection,
  progress: Progress
): Effect.fn.Return<Head, PeerFailure> {
  let received: Uint8Array = new Uint8Array()
  progress.failure = PeerFailure.Unanswered({ how: timeout })
  for (;;) {
    const arrival = yield* connection.read
    if (arrival._tag === "Ended") return yield* Effect.fail(ended(arrival, received.length))
    progress.failure = PeerFailure.HeadBroken({ how: timeout })
    received = received.length === 0 ? arrival.bytes : Bytes.concat([received, arrival.bytes])
    const read = readHead(received, client.dialect)
    if (read._tag === "Head") return read.head
    if (read._tag === "TooLong") return yield* Effect.fail(PeerFailure.HeadBroken({ how: "too_long" }))
    if (read._tag === "Problem") return yield* Effect.fail(PeerFailure.HeadMalformed({ problem: read.problem }))
  }
})

interface Answering {
  readonly lease: Lease
  readonly head: Head
}

/** What a client reaches appservices with. */
export interface Reach {
  readonly transport: PeerTransport
  readonly pool: Pool
}

/** Sends the request until an answer comes that is not followed. */
const send = Effect.fnUntraced(function*(
  client: PeerClient,
  { pool, transport }: Reach,
  first: PeerRequest,
  progress: Progress
): Effect.fn.Return<Answering, PeerFailure, Scope.Scope> {
  let request = first
  for (let hops = 0;; hops++) {
    const lease = yield* pool.lease(request.url.origin, connect(client, transport, request.url, progress))
    yield* lease.connection.write(bytesOf(request))
    const head = yield* headFrom(client, lease.connection, progress)
    const decision = Redirect.decide(client.redirects, request, head)
    const { status } = head
    if (decision._tag === "Answer") return { lease, head }
    if (decision._tag === "Refuse") return yield* Effect.fail(PeerFailure.NotFollowed({ status, url: request.url }))
    if (decision._tag === "NoLocation") return yield* Effect.fail(PeerFailure.NoLocation({ status, url: request.url }))
    if (hops >= client.redirects.maxHops) {
      return yield* Effect.fail(PeerFailure.TooManyRedirects({ status, url: request.url }))
    }
    request = decision.request
  }
})

/** Reads the body of the answer to its end. */
const bodyFrom = Effect.fnUntraced(function*(
  { head, lease }: Answering,
  { dialect }: PeerClient,
  maxBytes: number,
  progress: Progress
): Effect.fn.Return<Uint8Array, PeerFailure> {
  const { framing, reason, status } = head
  const reader = bodyReader(head, maxBytes)
  const broken = (how: Extract<PeerFailure, { _tag: "BodyBroken" }>["how"]): PeerFailure =>
    PeerFailure.BodyBroken({ how, framing, chunk: reader.chunk(), status, reason })
  let pushed = reader.push(head.rest)
  while (pushed === "more") {
    progress.failure = broken(timeout)
    const arrival = yield* lease.connection.read
    if (arrival._tag === "Bytes") pushed = reader.push(arrival.bytes)
    else if (arrival.how === "fin" && framing === "until_close" && dialect.acceptsUntilClose) return reader.body()
    else return yield* Effect.fail(broken(arrival.how))
  }
  if (pushed === "malformed") return yield* Effect.fail(PeerFailure.BodyMalformed({ chunk: reader.chunk() }))
  if (reader.isExact() && head.headers["connection"]?.toLowerCase() !== "close") lease.keep()
  return reader.body()
})

const readingOf = (client: PeerClient, status: number): PeerClient["body"] =>
  client.body === "unread" && !client.isSuccess(status) ? "best_effort" : client.body

/** Sends a request as the client does; it never fails, because whatever happens is an outcome. */
export const exchange = (
  client: PeerClient,
  reach: Reach,
  request: PeerRequest,
  maxBodyBytes: number
): Effect.Effect<PeerOutcome> =>
  Effect.gen(function*(): Effect.fn.Return<PeerAnswer, PeerFailure, Scope.Scope> {
    const { request: limit, requestCovers } = client.timeouts
    const progress: Progress = { failure: PeerFailure.NotConnected({ why: timeout }) }
    const start = yield* Clock.monotonicTimeNanos
    const answering = yield* limited(send(client, reach, request, progress), limit, progress)
    const { headers, reason, status } = answering.head
    const answered = (body: Uint8Array | undefined): PeerAnswer => ({ _tag: "Answered", status, reason, headers, body })
    const reading = readingOf(client, status)
    if (reading === "unread") return answered(undefined)
    const read = bodyFrom(answering, client, maxBodyBytes, progress)
    const elapsed = Duration.nanos((yield* Clock.monotonicTimeNanos) - start)
    const bounded = requestCovers === "head" ? read : limited(read, Duration.subtract(limit, elapsed), progress)
    return answered(yield* reading === "best_effort" ? Effect.catch(bounded, () => Effect.undefined) : bounded)
  }).pipe(Effect.scoped, Effect.catch((failure) => Effect.succeed(failure)))
