/**
 * The contract between an appservice and its homeserver: `POST /_matrix/client/v1/appservice/{appserviceId}/ping`.
 *
 * The server is built from it, the client is derived from it, and the OpenAPI document is generated from it. See
 * https://spec.matrix.org/v1.7/application-service-api/#post_matrixclientv1appserviceappserviceidping
 *
 * @since 0.1.0
 */
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiMiddleware, HttpApiSecurity, OpenApi } from "effect/http-api"
import * as Answer from "./Answer.ts"
import { AppserviceId } from "./AppserviceId.ts"
import * as OpenApiDocument from "./internal/openApiDocument.ts"
import { PingRequest } from "./PingRequest.ts"
import { Versions } from "./Versions.ts"

/**
 * The security scheme of an appservice: its `as_token` as a bearer token (C1), and the user it acts as (C14, C26).
 *
 * @category security
 * @since 0.1.0
 */
export class AppserviceAuthorization extends HttpApiMiddleware.Service<AppserviceAuthorization>()(
  "@appservice-ping/domain/HomeserverApi/AppserviceAuthorization",
  {
    error: [
      Answer.wire.M_MISSING_TOKEN,
      Answer.wire.M_UNKNOWN_TOKEN,
      Answer.wire.M_FORBIDDEN,
      Answer.otherErrcode("M_UNKNOWN_DEVICE", 400)
    ],
    security: {
      appserviceAccessTokenBearer: HttpApiSecurity.bearer.pipe(
        HttpApiSecurity.annotate(OpenApi.Description, "The `as_token` of the appservice.")
      )
    }
  }
) {}

const options = {
  params: { appserviceId: AppserviceId },
  payload: PingRequest,
  success: Answer.PingSuccess,
  error: [
    Answer.wire.M_NOT_JSON,
    Answer.wire.M_BAD_JSON,
    Answer.wire.M_URL_NOT_SET,
    Answer.wire.M_LIMIT_EXCEEDED,
    Answer.wire.M_BAD_STATUS,
    Answer.wire.M_CONNECTION_FAILED,
    Answer.wire.M_CONNECTION_TIMEOUT
  ]
} as const

/**
 * `POST /_matrix/client/v1/appservice/{appserviceId}/ping`: asks the homeserver to call the appservice (spec v1.7, C27).
 *
 * @category endpoints
 * @since 0.1.0
 */
export class PingAppservice
  extends HttpApiEndpoint.post("pingAppservice", "/_matrix/client/v1/appservice/:appserviceId/ping", options)
    .middleware(AppserviceAuthorization)
    .annotate(OpenApi.Summary, "Asks the homeserver to ping the appservice.")
    .annotate(
      OpenApi.Description,
      "The homeserver calls `/_matrix/app/v1/ping` at the registration's `url` and answers with how long that took, or with why it failed. Only the appservice itself may ask, with its own `as_token`."
    )
{}

/**
 * The same endpoint at the path it had before spec v1.7 (C22).
 *
 * @category endpoints
 * @since 0.1.0
 */
export class PingAppserviceUnstable extends HttpApiEndpoint.post(
  "pingAppserviceUnstable",
  "/_matrix/client/unstable/fi.mau.msc2659/appservice/:appserviceId/ping",
  options
)
  .middleware(AppserviceAuthorization)
  .annotate(OpenApi.Deprecated, true)
  .annotate(OpenApi.Summary, "Asks the homeserver to ping the appservice, for clients older than spec v1.7.")
{}

/**
 * `GET /_matrix/client/versions`: what the homeserver supports (C21).
 *
 * @category endpoints
 * @since 0.1.0
 */
export class GetVersions extends HttpApiEndpoint.get("getVersions", "/_matrix/client/versions", { success: Versions })
  .annotate(OpenApi.Summary, "Returns the versions of the spec that the homeserver supports.")
  .annotate(OpenApi.Override, { security: [{}, { accessTokenBearer: [] }] })
{}

/**
 * The endpoints of the contract, at the top level of a derived client.
 *
 * @category groups
 * @since 0.1.0
 */
export class Endpoints extends HttpApiGroup.make("Application service ping", { topLevel: true })
  .add(PingAppservice)
  .add(PingAppserviceUnstable)
  .add(GetVersions)
{}

/**
 * The contract of the homeserver's side.
 *
 * @category contracts
 * @since 0.1.0
 */
export class HomeserverApi extends HttpApi.make("HomeserverApi")
  .add(Endpoints)
  .annotate(OpenApi.Title, "Matrix Client-Server API: appservice ping")
  .annotate(OpenApi.Version, "1.7")
  .annotate(
    OpenApi.Transform,
    OpenApiDocument.transform({
      accessTokenBearer: { type: "http", scheme: "bearer", description: "The access token of a user or an appservice." }
    })
  )
{}
