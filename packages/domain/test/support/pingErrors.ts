import * as PingError from "@appservice-ping/domain/PingError"
import { Duration } from "effect"

type Tag = PingError.PingError["_tag"]

/** One error of each kind, with every field set; a kind that is missing here does not compile. */
export const pingErrors: { readonly [K in Tag]: Extract<PingError.PingError, { readonly _tag: K }> } = {
  M_BAD_JSON: new PingError.BadJson({ error: "transaction_id must be a string" }),
  M_BAD_STATUS: new PingError.BadStatus({ error: "the appservice answered 418", status: 418, body: "short and stout" }),
  M_CONNECTION_FAILED: new PingError.ConnectionFailed({ error: "the connection was refused" }),
  M_CONNECTION_TIMEOUT: new PingError.ConnectionTimeout({ error: "the connection timed out" }),
  M_FORBIDDEN: new PingError.Forbidden({ error: "not the token of this appservice" }),
  M_LIMIT_EXCEEDED: new PingError.LimitExceeded({ error: "too many pings", retryAfter: Duration.seconds(2) }),
  M_MISSING_TOKEN: new PingError.MissingToken({ error: "no token" }),
  M_NOT_JSON: new PingError.NotJson({ error: "the body is not JSON" }),
  M_UNKNOWN_TOKEN: new PingError.UnknownToken({ error: "unknown token", soft_logout: false }),
  M_UNRECOGNIZED: new PingError.Unrecognized({ error: "no such endpoint" }),
  M_URL_NOT_SET: new PingError.UrlNotSet({ error: "no url" }),
  OtherErrcode: new PingError.OtherErrcode({ errcode: "COM.EXAMPLE_X", status: 418, error: "something else" })
}
