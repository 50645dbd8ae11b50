/**
 * The contract of what a bridge asks before it pings: `POST /register` and `GET /account/whoami`, for appservices.
 *
 * It is what bridges need to start, and no more of a homeserver's accounts. See
 * https://spec.matrix.org/v1.7/application-service-api/#server-admin-style-permissions
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import * as Answer from "./Answer.ts"
import { AppserviceAuthorization } from "./HomeserverApi.ts"
import * as OpenApiDocument from "./internal/openApiDocument.ts"

/**
 * The `type` with which an appservice registers its users.
 *
 * @category constants
 * @since 0.1.0
 */
export const applicationServiceType = "m.login.application_service"

/**
 * Schema for the body of a registration; other keys, such as `inhibit_login`, are ignored.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RegisterRequest = Schema.Struct({
  type: Schema.String.annotate({ description: `\`${applicationServiceType}\`, and nothing else.` }),
  username: Schema.String.annotate({ description: "The localpart of the user." })
})

/**
 * Schema for whose user something is: the answer of both endpoints.
 *
 * **Details**
 *
 * A registration logs nobody in, so it has neither `access_token` nor `device_id`, as with `inhibit_login`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Account = Schema.Struct({ user_id: Schema.String })

const registerOptions = {
  query: { kind: Schema.optionalKey(Schema.String) },
  payload: RegisterRequest,
  success: Account,
  error: [
    Answer.wire.M_NOT_JSON,
    Answer.wire.M_BAD_JSON,
    Answer.otherErrcode("M_MISSING_PARAM", 400),
    Answer.otherErrcode("M_INVALID_USERNAME", 400),
    Answer.otherErrcode("M_EXCLUSIVE", 400),
    Answer.otherErrcode("M_USER_IN_USE", 400)
  ]
} as const

/**
 * `POST /_matrix/client/v3/register`: registers a user of the appservice (D12).
 *
 * @category endpoints
 * @since 0.1.0
 */
export class Register extends HttpApiEndpoint.post("register", "/_matrix/client/v3/register", registerOptions)
  .middleware(AppserviceAuthorization)
  .annotate(OpenApi.Summary, "Registers a user of the appservice.")
{}

/**
 * The same endpoint at the path it had before spec v1.1, which older bridges call.
 *
 * @category endpoints
 * @since 0.1.0
 */
export class RegisterR0 extends HttpApiEndpoint.post("registerR0", "/_matrix/client/r0/register", registerOptions)
  .middleware(AppserviceAuthorization)
  .annotate(OpenApi.Deprecated, true)
  .annotate(OpenApi.Summary, "Registers a user of the appservice, for clients older than spec v1.1.")
{}

const whoamiOptions = {
  query: { user_id: Schema.optionalKey(Schema.String), device_id: Schema.optionalKey(Schema.String) },
  success: Account
} as const

/**
 * `GET /_matrix/client/v3/account/whoami`: which user the appservice acts as (D12).
 *
 * @category endpoints
 * @since 0.1.0
 */
export class Whoami extends HttpApiEndpoint.get("whoami", "/_matrix/client/v3/account/whoami", whoamiOptions)
  .middleware(AppserviceAuthorization)
  .annotate(OpenApi.Summary, "Says which user the appservice acts as: its sender, or the one in `user_id`.")
{}

/**
 * The same endpoint at the path it had before spec v1.1, which older bridges call.
 *
 * @category endpoints
 * @since 0.1.0
 */
export class WhoamiR0 extends HttpApiEndpoint.get("whoamiR0", "/_matrix/client/r0/account/whoami", whoamiOptions)
  .middleware(AppserviceAuthorization)
  .annotate(OpenApi.Deprecated, true)
  .annotate(OpenApi.Summary, "Says which user the appservice acts as, for clients older than spec v1.1.")
{}

/**
 * The endpoints of the contract, at the top level of a derived client.
 *
 * @category groups
 * @since 0.1.0
 */
export class Endpoints extends HttpApiGroup.make("Accounts of an appservice", { topLevel: true })
  .add(Register)
  .add(RegisterR0)
  .add(Whoami)
  .add(WhoamiR0)
{}

/**
 * The contract of what a bridge asks before it pings.
 *
 * @category contracts
 * @since 0.1.0
 */
export class AccountApi extends HttpApi.make("AccountApi")
  .add(Endpoints)
  .annotate(OpenApi.Title, "Matrix Client-Server API: what a bridge asks before it pings")
  .annotate(OpenApi.Version, "1.7")
  .annotate(OpenApi.Transform, OpenApiDocument.transform({}))
{}
