/**
 * What the official OpenAPI documents of Matrix state about the ping (spec v1.7 and later) and about `/versions`, fact
 * by fact and without their prose. `OpenApi.test.ts` compares it with the documents themselves where they are at hand.
 */
import type { DocumentFacts, SchemaFacts } from "./facts.ts"

const error: SchemaFacts = {
  type: "object",
  properties: { errcode: { type: "string" }, error: { type: "string" } },
  required: ["errcode"]
}

const pingBody: SchemaFacts = { type: "object", properties: { transaction_id: { type: "string" } } }

const json = (schema: SchemaFacts): { readonly [type: string]: SchemaFacts } => ({ "application/json": schema })

const bearer = { type: "http", scheme: "bearer" }

/** `client-server/appservice_ping.yaml` and `client-server/versions.yaml`. */
export const clientServer: DocumentFacts = {
  operations: [
    {
      path: "/_matrix/client/v1/appservice/{appserviceId}/ping",
      method: "post",
      operationId: "pingAppservice",
      security: [["appserviceAccessTokenBearer"]],
      parameters: [{ name: "appserviceId", in: "path", required: true, schema: { type: "string" } }],
      requestBody: { required: true, content: json(pingBody) },
      responses: {
        200: json({ type: "object", properties: { duration_ms: { type: "integer" } }, required: ["duration_ms"] }),
        400: json(error),
        403: json(error),
        502: json({
          type: "object",
          properties: {
            errcode: { type: "string", enum: ["M_BAD_STATUS", "M_CONNECTION_FAILED"] },
            error: { type: "string" },
            status: { type: "integer" },
            body: { type: "string" }
          },
          required: ["errcode"]
        }),
        504: json(error)
      }
    },
    {
      path: "/_matrix/client/versions",
      method: "get",
      operationId: "getVersions",
      security: [[], ["accessTokenBearer"]],
      parameters: [],
      responses: {
        200: json({
          type: "object",
          properties: {
            versions: { type: "array", items: { type: "string" } },
            unstable_features: { type: "object", additionalProperties: { type: "boolean" } }
          },
          required: ["versions"]
        })
      }
    }
  ],
  securitySchemes: { appserviceAccessTokenBearer: bearer, accessTokenBearer: bearer }
}

/** `application-service/ping.yaml`. */
export const applicationService: DocumentFacts = {
  operations: [
    {
      path: "/_matrix/app/v1/ping",
      method: "post",
      operationId: "ping",
      security: [["homeserverAccessToken"]],
      parameters: [],
      requestBody: { required: false, content: json(pingBody) },
      responses: { 200: json({ type: "object" }) }
    }
  ],
  securitySchemes: { homeserverAccessToken: bearer }
}

/** `client-server/definitions/errors/rate_limited.yaml`: what every rate limit states. */
export const rateLimit: SchemaFacts = {
  type: "object",
  properties: { errcode: { type: "string" }, error: { type: "string" }, retry_after_ms: { type: "integer" } },
  required: ["errcode"]
}
