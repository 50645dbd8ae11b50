/**
 * The contract of the control API: puts fault plans in force in a running testbed, and reports their effect.
 *
 * The server is built from it, the client is derived from it, and the OpenAPI document is generated from it.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiMiddleware, HttpApiSchema, OpenApi } from "effect/http-api"
import * as Problem from "../file/Problem.ts"
import { Plan } from "../plan/Plan.ts"
import { Entry } from "../play/Journal.ts"
import { Delay } from "../step/Delay.ts"

/**
 * The request is not what the API takes; every problem is listed, with the names that were probably meant.
 *
 * @category errors
 * @since 0.1.0
 */
export class Rejected extends Schema.TaggedError<Rejected>("@appservice-ping/testbed/control/ControlApi/Rejected")(
  "Rejected",
  { problems: Schema.NonEmptyArray(Problem.Problem) },
  { httpApiStatus: 400, description: "The request is not what the API takes; every problem is listed." }
) {
  override get message(): string {
    return this.problems.map(Problem.toText).join("\n")
  }
}

/**
 * The request comes from a browser, or names a host that is not this machine: a web page could have sent it.
 *
 * @category errors
 * @since 0.1.0
 */
export class Refused extends Schema.TaggedError<Refused>("@appservice-ping/testbed/control/ControlApi/Refused")(
  "Refused",
  { header: Schema.Literals(["Host", "Origin", "Sec-Fetch-Site", "Sec-Fetch-Dest", "Sec-Fetch-User"]) },
  { httpApiStatus: 403, description: "A web page could have sent the request: it is refused." }
) {
  override get message(): string {
    return this.header === "Host"
      ? "the Host header names no address of this machine: connect by 127.0.0.1, [::1] or localhost, or allow the host"
      : `the ${this.header} header is one that browsers send, and web pages must not control the testbed`
  }
}

/**
 * The plan is larger than the server takes.
 *
 * @category errors
 * @since 0.1.0
 */
export class TooLarge extends Schema.TaggedError<TooLarge>("@appservice-ping/testbed/control/ControlApi/TooLarge")(
  "TooLarge",
  { maxBytes: Schema.Int },
  { httpApiStatus: 413, description: "The plan is larger than the server takes." }
) {
  override get message(): string {
    return `a plan may have at most ${this.maxBytes} bytes`
  }
}

/**
 * What keeps web pages out: a request with an `Origin`, one that a browser marks with `Sec-Fetch-Site`, and one whose
 * `Host` is not this machine are refused.
 *
 * @category security
 * @since 0.1.0
 */
export class LocalOnly extends HttpApiMiddleware.Service<LocalOnly>()(
  "@appservice-ping/testbed/control/ControlApi/LocalOnly",
  { error: Refused }
) {}

/**
 * What turns a query that the contract does not know into listed problems.
 *
 * @category errors
 * @since 0.1.0
 */
export class ListedProblems extends HttpApiMiddleware.Service<ListedProblems>()(
  "@appservice-ping/testbed/control/ControlApi/ListedProblems",
  { error: Rejected }
) {}

/**
 * The plan that the API has put in force.
 *
 * **Details**
 *
 * Where there is none, it is the one without rules. `seed` is the one its draws follow from, and `heals_in` is how
 * long it lives on by itself, where it was given a `ttl`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const InForce = Schema.Struct({
  plan: Plan,
  seed: Schema.optionalKey(Schema.Int),
  heals_in: Schema.optionalKey(Delay)
}).annotate({ identifier: "InForce", description: "The plan that the API has put in force." })

/**
 * The plan that the API has put in force.
 *
 * @category models
 * @since 0.1.0
 */
export type InForce = typeof InForce.Type

const Count = Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0)))

/**
 * What became of one rule: its counts, and in one word how far it came.
 *
 * **Details**
 *
 * `unmatched`: nothing it means has happened. `uncounted`: connections are refused or never accepted, and nobody who is
 * turned away can be counted. `suppressed`: it matched, and was held back each time. `passed`: it matched, and its fault
 * is `pass`. `fired`: it was decided on, and not played yet. `applied`: it was really played.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RuleOutcome = Schema.Struct({
  rule: Schema.String,
  outcome: Schema.Literals(["unmatched", "uncounted", "suppressed", "passed", "fired", "applied"]),
  matched: Count,
  suppressed: Count,
  fired: Count,
  applied: Count
}).annotate({ identifier: "RuleOutcome", description: "What became of one rule." })

/**
 * What became of one rule.
 *
 * @category models
 * @since 0.1.0
 */
export type RuleOutcome = typeof RuleOutcome.Type

/**
 * What became of the plan that the API put in force last; it stays when the plan has healed.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Report = Schema.Struct({ in_force: Schema.Boolean, rules: Schema.Array(RuleOutcome) }).annotate({
  identifier: "Report",
  description: "What became of the plan that was put in force last."
})

/**
 * What became of the plan that was put in force last.
 *
 * @category models
 * @since 0.1.0
 */
export type Report = typeof Report.Type

/**
 * `PUT /plan`: puts a plan in force in place of the one before, as JSON or YAML.
 *
 * **Details**
 *
 * With `ttl` it heals by itself after that time, so that a test that dies leaves nothing broken behind.
 *
 * @category endpoints
 * @since 0.1.0
 */
export class PutPlan extends HttpApiEndpoint.put("putPlan", "/plan", {
  query: { ttl: Schema.optionalKey(Delay) },
  payload: [Plan, Schema.String.pipe(HttpApiSchema.asText({ contentType: "application/yaml" }))],
  success: InForce,
  error: [Rejected, TooLarge]
}).annotate(OpenApi.Summary, "Puts a plan in force in place of the one before, until `ttl` is over.") {}

/**
 * `GET /plan`: the plan that is in force.
 *
 * @category endpoints
 * @since 0.1.0
 */
export class GetPlan extends HttpApiEndpoint.get("getPlan", "/plan", { success: InForce })
  .annotate(OpenApi.Summary, "Returns the plan that the API has put in force.")
{}

/**
 * `DELETE /plan`: heals everything that the plan broke; without one, nothing happens.
 *
 * @category endpoints
 * @since 0.1.0
 */
export class DeletePlan extends HttpApiEndpoint.delete("deletePlan", "/plan", { success: HttpApiSchema.NoContent })
  .annotate(OpenApi.Summary, "Heals what the plan broke.")
{}

/**
 * `DELETE /connections`: resets all connections that are there, whatever happens on them.
 *
 * **Details**
 *
 * A client that keeps its connections opens new ones then. A plan that comes into force and one that heals do as much
 * for the connections on which nothing is asked, and for those that the healed plan holds.
 *
 * @category endpoints
 * @since 0.1.0
 */
export class DeleteConnections extends HttpApiEndpoint.delete("deleteConnections", "/connections", {
  success: HttpApiSchema.NoContent
}).annotate(OpenApi.Summary, "Resets all connections.") {}

/**
 * `GET /ca`: the certificate authority of the testbed as PEM, for clients that have to trust a proxy with TLS.
 *
 * @category endpoints
 * @since 0.1.0
 */
export class GetCa extends HttpApiEndpoint.get("getCa", "/ca", {
  success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "application/x-pem-file" }))
}).annotate(OpenApi.Summary, "Gives the certificate authority to trust, as PEM.") {}

/**
 * `GET /report`: for each rule, how often it matched, was held back, struck and was really played.
 *
 * @category endpoints
 * @since 0.1.0
 */
export class GetReport extends HttpApiEndpoint.get("getReport", "/report", { success: Report })
  .annotate(OpenApi.Summary, "Returns a report of each rule.")
{}

/**
 * `GET /journal`: the journal as JSON lines, the oldest entry first; with `since`, only what came after that entry.
 *
 * **Details**
 *
 * The journal keeps the newest entries only. A first entry whose number is not `since + 1` shows that some are gone.
 * After a reset, numbers begin again at 1.
 *
 * @category endpoints
 * @since 0.1.0
 */
export class GetJournal extends HttpApiEndpoint.get("getJournal", "/journal", {
  query: { since: Schema.optionalKey(Count) },
  success: HttpApiSchema.StreamNdjson({ schema: Entry })
}).annotate(OpenApi.Summary, "Gives the journal, one JSON object a line.") {}

/**
 * `POST /reset`: begins anew: numbers, counters and journal; the plan stays in force.
 *
 * @category endpoints
 * @since 0.1.0
 */
export class Reset extends HttpApiEndpoint.post("reset", "/reset", { success: HttpApiSchema.NoContent })
  .annotate(OpenApi.Summary, "Sets numbers, counters and journal back to the start; the plan stays in force.")
{}

/**
 * `GET /healthz`: answers once the testbed can be controlled.
 *
 * @category endpoints
 * @since 0.1.0
 */
export class GetHealth extends HttpApiEndpoint.get("getHealth", "/healthz", {
  success: Schema.Struct({ status: Schema.tag("ok") })
}).annotate(OpenApi.Summary, "Answers once the testbed can be controlled.") {}

/**
 * The endpoints of the contract, at the top level of a derived client.
 *
 * @category groups
 * @since 0.1.0
 */
export class Endpoints extends HttpApiGroup.make("control", { topLevel: true })
  .add(PutPlan)
  .add(GetPlan)
  .add(DeletePlan)
  .add(DeleteConnections)
  .add(GetCa)
  .add(GetReport)
  .add(GetJournal)
  .add(Reset)
  .add(GetHealth)
  .middleware(ListedProblems)
  .middleware(LocalOnly)
{}

/**
 * The contract of the control API.
 *
 * @category contracts
 * @since 0.1.0
 */
export class ControlApi extends HttpApi.make("ControlApi")
  .add(Endpoints)
  .annotate(OpenApi.Title, "Appservice ping testbed: control API")
  .annotate(OpenApi.Version, "0.1.0")
  .annotate(HttpApi.QueryParseOptions, { errors: "all", onExcessProperty: "error", reportInput: true })
{}
