/** Serves the metrics of a watch, and the two probes of an orchestrator. */
import type { Watch } from "@appservice-ping/client/Watch"
import type { Answer } from "@appservice-ping/domain/Answer"
import type { Handler } from "@appservice-ping/server/Exchange"
import { Effect } from "effect"
import { PrometheusMetrics } from "effect/observability"

const answer = (status: number, contentType: string, body: string, headers: Answer["headers"] = {}): Answer => ({
  status,
  headers: { "content-type": contentType, ...headers },
  body
})

const text = (status: number, body: string, headers?: Answer["headers"]) =>
  answer(status, "text/plain; charset=utf-8", `${body}\n`, headers)

const metrics = Effect.map(
  PrometheusMetrics.format(),
  (body) => answer(200, "text/plain; version=0.0.4; charset=utf-8", body)
)

const ready = (watch: Watch["Service"]): Effect.Effect<Answer> =>
  Effect.map(
    watch.ready,
    (readiness) => answer(readiness.ready ? 200 : 503, "application/json", `${JSON.stringify(readiness)}\n`)
  )

/** Answers `/metrics`, `/ready` and `/healthz`. */
export const handler = (watch: Watch["Service"]): Handler => {
  const pages = new Map([
    ["/metrics", metrics],
    ["/ready", ready(watch)],
    ["/healthz", Effect.succeed(text(200, "ok"))]
  ])
  return ({ method, target }) => {
    const page = pages.get(target.split("?", 1)[0] ?? "")
    if (page === undefined) return Effect.succeed(text(404, "There are /metrics, /ready and /healthz."))
    return method === "GET" || method === "HEAD"
      ? page
      : Effect.succeed(text(405, "Only GET is answered.", { allow: "GET, HEAD" }))
  }
}
