/**
 * The contract between a homeserver and an appservice: `POST {url}/_matrix/app/v1/ping`.
 *
 * See https://spec.matrix.org/v1.7/application-service-api/#post_matrixappv1ping
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiMiddleware, HttpApiSecurity, OpenApi } from "effect/http-api"
import * as Answer from "./Answer.ts"
import * as OpenApiDocument from "./internal/openApiDocument.ts"
import { PingRequest } from "./PingRequest.ts"

/**
 * The security scheme of the call: the `hs_token` as a bearer token (A1).
 *
 * @category security
 * @since 0.1.0
 */
export class HomeserverAuthorization extends HttpApiMiddleware.Service<HomeserverAuthorization>()(
  "@appservice-ping/domain/AppserviceApi/HomeserverAuthorization",
  {
    error: [Answer.wire.M_MISSING_TOKEN, Answer.wire.M_FORBIDDEN],
    security: {
      homeserverAccessToken: HttpApiSecurity.bearer.pipe(
        HttpApiSecurity.annotate(OpenApi.Description, "The `hs_token` of the appservice's registration.")
      )
    }
  }
) {}

const options = {
  payload: PingRequest,
  success: Schema.Record(Schema.String, Schema.Unknown),
  error: [Answer.wire.M_NOT_JSON, Answer.wire.M_BAD_JSON]
} as const

/**
 * `POST /_matrix/app/v1/ping`: the homeserver shows that it reaches the appservice (spec v1.7).
 *
 * @category endpoints
 * @since 0.1.0
 */
export class Ping extends HttpApiEndpoint.post("ping", "/_matrix/app/v1/ping", options)
  .middleware(HomeserverAuthorization)
  .annotate(OpenApi.Summary, "Shows that the homeserver reaches the appservice and knows its `hs_token`.")
  .annotate(OpenApi.Transform, OpenApiDocument.optionalBody)
{}

/**
 * The same endpoint at the path it had before spec v1.7 (A9).
 *
 * @category endpoints
 * @since 0.1.0
 */
export class PingUnstable
  extends HttpApiEndpoint.post("pingUnstable", "/_matrix/app/unstable/fi.mau.msc2659/ping", options)
    .middleware(HomeserverAuthorization)
    .annotate(OpenApi.Deprecated, true)
    .annotate(OpenApi.Summary, "The ping of homeservers older than spec v1.7.")
    .annotate(OpenApi.Transform, OpenApiDocument.optionalBody)
{}

/**
 * The endpoints of the contract, at the top level of a derived client.
 *
 * @category groups
 * @since 0.1.0
 */
export class Endpoints extends HttpApiGroup.make("Application service ping", { topLevel: true })
  .add(Ping)
  .add(PingUnstable)
{}

/**
 * The contract of the appservice's side.
 *
 * @category contracts
 * @since 0.1.0
 */
export class AppserviceApi extends HttpApi.make("AppserviceApi")
  .add(Endpoints)
  .annotate(OpenApi.Title, "Matrix Application Service API: ping")
  .annotate(OpenApi.Version, "1.7")
  .annotate(OpenApi.Transform, OpenApiDocument.transform({}))
{}
