/** Serves a contract: routes, renders answers, and answers unexpected failures too. */
import { type Answer, fromError } from "@appservice-ping/domain/Answer"
import { NotJson, type PingError, Unrecognized } from "@appservice-ping/domain/PingError"
import { Effect, Schema } from "effect"
import { HttpApi, type HttpApiEndpoint, type HttpApiGroup } from "effect/http-api"
import { type BodyError, type Handler, internalError, type ServerRequest, tooLarge } from "../Exchange.ts"
import * as Routes from "./routes.ts"

/** What an endpoint gets to see of a request. */
export interface Input {
  readonly request: ServerRequest
  readonly params: Routes.Params
  readonly query: URLSearchParams
}

type Endpoint<Api> = Api extends HttpApi.HttpApi<infer _Id, infer Groups> ? HttpApiGroup.Endpoints<Groups> : never

/**
 * One handler for each endpoint of the contract: a missing one, and an error that the contract does not declare, are
 * type errors.
 */
export type Handlers<Api> = {
  readonly [E in Endpoint<Api> as HttpApiEndpoint.Identifier<E>]: (
    input: Input
  ) => Effect.Effect<HttpApiEndpoint.Success<E>["Type"], HttpApiEndpoint.Errors<E> | BodyError>
}

/** What the typed handlers have in common, once the contract has checked them. */
type AnyHandler = (input: Input) => Effect.Effect<unknown, PingError | BodyError>

export interface Options {
  /** Headers of every answer (C17). */
  readonly headers: Answer["headers"]
  /** Whether OPTIONS is answered on every endpoint (C17). */
  readonly preflight: boolean
  /** The `error` of an unknown endpoint (C16, A6). */
  readonly unrecognized: string
}

const target = (request: ServerRequest): { readonly path: string; readonly query: URLSearchParams } => {
  // RFC 9112 makes servers accept the absolute form too, which a proxy may send.
  const url = request.target.startsWith("/") ? undefined : URL.parse(request.target)
  const text = url === undefined || url === null ? request.target : url.pathname + url.search
  const mark = text.indexOf("?")
  return mark === -1
    ? { path: text, query: new URLSearchParams() }
    : { path: text.slice(0, mark), query: new URLSearchParams(text.slice(mark + 1)) }
}

const withHeaders = (answer: Answer, headers: Answer["headers"]): Answer => ({
  ...answer,
  headers: { ...answer.headers, ...headers }
})

const aborted = withHeaders(fromError(new NotJson({ error: "The request body ended early" })), { connection: "close" })

const tooSlow: Answer = {
  ...withHeaders(fromError(new NotJson({ error: "The request body did not arrive in time" })), { connection: "close" }),
  status: 408
}

const bodyErrors = { Aborted: aborted, TooLarge: tooLarge, TooSlow: tooSlow } as const

/** A 405 has to name every method that is answered (C34), HEAD and OPTIONS among them. */
const wrongMethod = (methods: ReadonlyArray<string>, preflight: boolean): Answer => {
  const allowed = [
    ...methods.flatMap((method) => method === "GET" ? ["GET", "HEAD"] : [method]),
    ...preflight ? ["OPTIONS"] : []
  ].join(", ")
  return {
    ...withHeaders(fromError(new Unrecognized({ error: `This endpoint only accepts ${allowed}` })), { allow: allowed }),
    status: 405
  }
}

/** A 401 has to say how to authenticate (C34); a token that came and is not known is an `invalid_token` (RFC 6750). */
const challenge = (answer: Answer, error: PingError): Answer =>
  answer.status === 401
    ? withHeaders(answer, {
      "www-authenticate": error._tag === "M_MISSING_TOKEN" ? "Bearer" : "Bearer error=\"invalid_token\""
    })
    : answer

/** On every answer with a body (C25). */
const json = { "content-type": "application/json" } as const

const successEncoders = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
): ReadonlyMap<string, (value: unknown) => Answer> => {
  const encoders = new Map<string, (value: unknown) => Answer>()
  HttpApi.reflect(api, {
    onGroup() {},
    onEndpoint({ endpoint, successes }) {
      for (const [status, [schema]] of successes) {
        // Reflection forgets that the contract's schemas need no services to encode.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        const encode = Schema.encodeUnknownSync(schema as unknown as Schema.Codec<unknown, unknown>)
        encoders.set(endpoint.identifier, (value) => ({ status, headers: json, body: JSON.stringify(encode(value)) }))
      }
    }
  })
  return encoders
}

const onError = (error: PingError | BodyError): Answer =>
  error._tag === "BodyError" ? bodyErrors[error.reason] : challenge(fromError(error), error)

/**
 * Builds the handler of a contract. Nothing a handler does, defects included, leaves a request without an answer in
 * Matrix form (C33).
 */
export const serve = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>,
  handlers: Handlers<HttpApi.HttpApi<Id, Groups>>,
  options: Options
): Handler => {
  const routes = Routes.fromApi(api)
  const encoders = successEncoders(api)
  const table = new Map<string, (input: Input) => Effect.Effect<Answer, PingError | BodyError>>()
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  for (const [identifier, handler] of Object.entries(handlers as Record<string, AnyHandler>)) {
    const encode = encoders.get(identifier)
    if (encode !== undefined) table.set(identifier, (input) => Effect.map(handler(input), encode))
  }
  const preflight: Answer = { status: 204, headers: options.headers, body: "" }
  const unrecognized = withHeaders(fromError(new Unrecognized({ error: options.unrecognized })), options.headers)
  return (request) => {
    const { path, query } = target(request)
    const match = routes.match(request.method, path)
    if (match._tag === "NotFound") return Effect.succeed(unrecognized)
    if (match._tag === "WrongMethod") {
      return Effect.succeed(
        options.preflight && request.method === "OPTIONS"
          ? preflight
          : withHeaders(wrongMethod(match.allowed, options.preflight), options.headers)
      )
    }
    const handler = table.get(match.identifier)
    if (handler === undefined) return Effect.succeed(unrecognized)
    return handler({ request, params: match.params, query }).pipe(
      Effect.catch((error) => Effect.succeed(onError(error))),
      // Only what a handler does to itself ends up here: the interruption of the request itself skips it.
      Effect.catchCause((cause) => Effect.as(Effect.logError("A request failed unexpectedly", cause), internalError)),
      Effect.map((answer) => withHeaders(answer, options.headers))
    )
  }
}
