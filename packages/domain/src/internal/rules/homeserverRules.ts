/** The rules between a client and its homeserver. */
import type { Rule } from "../../Rule.ts"
import { as, cs, http, issue, msc, msc2659, outgoingPing, ping, root } from "./source.ts"

export const homeserverRules = [
  {
    id: "C1",
    sentence:
      "A homeserver accepts the token of an appservice in an `Authorization: Bearer` header, and in the deprecated query parameter `access_token` while it advertises v1.19 or an earlier version.",
    side: "homeserver",
    wording: "MUST",
    sources: [cs("using-access-tokens"), ping, root("deprecation-policy")],
    parts: [
      { side: "client", wording: "SHOULD", sentence: "A client does not use the query parameter." },
      {
        side: "homeserver",
        wording: "http",
        sentence: "The scheme is matched without regard to case (RFC 9110, 11.1)."
      },
      {
        side: "homeserver",
        wording: "silent",
        sentence: "Where header and query both carry a token, the header decides."
      }
    ]
  },
  {
    id: "C2",
    sentence: "A homeserver refuses a request without a token.",
    side: "homeserver",
    wording: "stated",
    sources: [cs("using-access-tokens")],
    answer: "401 `M_MISSING_TOKEN`",
    parts: [
      {
        side: "homeserver",
        wording: "silent",
        sentence: "Another scheme, such as Basic, and an empty Bearer are no token."
      }
    ]
  },
  {
    id: "C3",
    sentence: "A homeserver refuses a token that it does not know.",
    side: "homeserver",
    wording: "stated",
    sources: [cs("using-access-tokens"), cs("soft-logout")],
    answer: "401 `M_UNKNOWN_TOKEN`, with an optional `soft_logout`"
  },
  {
    id: "C4",
    sentence: "A homeserver refuses the token of an ordinary user: the ping is for appservices alone.",
    side: "homeserver",
    wording: "MUST",
    sources: [ping, as("client-server-api-extensions")],
    answer: "403 `M_FORBIDDEN`"
  },
  {
    id: "C5",
    sentence:
      "A homeserver refuses a ping whose path has another id than the appservice of the token, also an id that nobody has registered.",
    side: "homeserver",
    wording: "must",
    sources: [ping],
    answer: "403 `M_FORBIDDEN`"
  },
  {
    id: "C6",
    sentence: "The body of a ping is a JSON object, `{}` at least, whatever its Content-Type.",
    side: "client",
    wording: "stated",
    sources: [cs("api-standards"), ping, cs("common-error-codes")],
    answer: "empty or not JSON: 400 `M_NOT_JSON`; no object, or a `transaction_id` that is no string: 400 `M_BAD_JSON`",
    parts: [
      {
        side: "homeserver",
        wording: "silent",
        sentence: "A homeserver refuses any other body; one that accepts an empty body breaks no rule."
      }
    ]
  },
  {
    id: "C7",
    sentence: "A homeserver passes `transaction_id` through as it is: any string, empty, in any script, of any length.",
    side: "homeserver",
    wording: "must",
    sources: [ping, outgoingPing, msc2659],
    parts: [
      { side: "homeserver", wording: "decision", sentence: "Two pings with one id are two pings." }
    ]
  },
  {
    id: "C8",
    sentence: "A homeserver answers that there is nothing to ping where the `url` of the registration is null.",
    side: "homeserver",
    wording: "stated",
    sources: [ping, as("definition-registration")],
    answer: "400 `M_URL_NOT_SET`",
    parts: [
      {
        side: "homeserver",
        wording: "stated",
        sentence: "A registration without the key `url` is none, and is refused when it is read."
      }
    ]
  },
  {
    id: "C9",
    sentence: "Where the appservice answered with a 2xx, the homeserver answers how long its request took.",
    side: "homeserver",
    wording: "stated",
    sources: [ping, msc2659],
    answer: "200 `{\"duration_ms\": <integer>}`",
    parts: [
      { side: "homeserver", wording: "silent", sentence: "Whether the duration includes DNS and TLS is open." }
    ]
  },
  {
    id: "C10",
    sentence: "Where the appservice answered with any other status, the homeserver says so.",
    side: "homeserver",
    wording: "stated",
    sources: [ping, msc2659],
    answer: "502 `M_BAD_STATUS`",
    parts: [
      {
        side: "homeserver",
        wording: "MAY",
        sentence: "The answer carries the `status` and the `body` of the appservice, and no other error carries them."
      }
    ]
  },
  {
    id: "C11",
    sentence:
      "Where the connection to the appservice failed, the homeserver says so: DNS, refused, reset, closed early, TLS, malformed HTTP.",
    side: "homeserver",
    wording: "stated",
    sources: [ping, msc2659],
    answer: "502 `M_CONNECTION_FAILED`",
    parts: [
      { side: "homeserver", wording: "recommended", sentence: "`error` names the cause." }
    ]
  },
  {
    id: "C12",
    sentence: "Where the connection to the appservice timed out, the homeserver says so.",
    side: "homeserver",
    wording: "stated",
    sources: [ping, msc2659],
    answer: "504 `M_CONNECTION_TIMEOUT`"
  },
  {
    id: "C13",
    sentence: "A successful ping may wake the homeserver's retry queue for that appservice.",
    side: "homeserver",
    wording: "MAY",
    sources: [msc2659]
  },
  {
    id: "C14",
    sentence:
      "A homeserver lets an appservice act as its sender, or with `?user_id=` as a user of its namespaces, and ignores query parameters that it does not know.",
    side: "homeserver",
    wording: "stated",
    sources: [as("identity-assertion"), cs("common-error-codes")],
    answer: "another user: 403 `M_FORBIDDEN`, with the name of the homeserver",
    parts: [
      { side: "client", wording: "must", sentence: "A client names no user outside of its namespaces." },
      {
        side: "homeserver",
        wording: "MAY",
        sentence: "A homeserver refuses such a user, and one that is not registered."
      }
    ]
  },
  {
    id: "C15",
    sentence: "Every error is a JSON object with `errcode` and `error`.",
    side: "homeserver",
    wording: "MUST",
    sources: [cs("standard-error-response"), cs("api-standards"), issue(2235)],
    parts: [
      { side: "client", wording: "silent", sentence: "A client accepts an error without `error`." }
    ]
  },
  {
    id: "C16",
    sentence:
      "A homeserver answers 404 to an endpoint under `/_matrix` that it does not have, and 405 to another method of one that it has.",
    side: "homeserver",
    wording: "expected",
    sources: [cs("common-error-codes"), msc(3743)],
    answer: "404 or 405 `M_UNRECOGNIZED`"
  },
  {
    id: "C17",
    sentence: "A homeserver answers OPTIONS on every endpoint, and runs no logic of the endpoint for it.",
    side: "homeserver",
    wording: "MUST",
    sources: [cs("web-browser-clients")],
    parts: [
      {
        side: "homeserver",
        wording: "should",
        sentence: "Every answer carries the three `Access-Control-Allow-*` headers; more methods than needed are right."
      }
    ]
  },
  {
    id: "C18",
    sentence: "A homeserver refuses a ping over its limits, and says when to come back.",
    side: "homeserver",
    wording: "should",
    sources: [cs("rate-limiting"), msc(4041)],
    answer: "429 `M_LIMIT_EXCEEDED`, with `Retry-After` since v1.10",
    parts: [
      {
        side: "client",
        wording: "should",
        sentence: "A client reads `Retry-After`, seconds or a date, before the deprecated `retry_after_ms`."
      }
    ]
  },
  {
    id: "C19",
    sentence:
      "A client survives every errcode: `M_UNKNOWN`, `M_NOT_FOUND`, `M_INVALID_PARAM`, `M_TOO_LARGE`, `M_USER_LOCKED`, `M_USER_SUSPENDED`, `M_RESOURCE_LIMIT_EXCEEDED`, `M_USER_LIMIT_EXCEEDED`, `M_UNKNOWN_DEVICE`, and one of its own, such as `COM.EXAMPLE_X`.",
    side: "client",
    wording: "silent",
    sources: [cs("common-error-codes"), cs("other-error-codes")]
  },
  {
    id: "C20",
    sentence: "The id of an appservice is free text: a client percent-encodes it, and a homeserver matches it exactly.",
    side: "homeserver",
    wording: "silent",
    sources: [as("registration"), as("definition-registration")]
  },
  {
    id: "C21",
    sentence:
      "A homeserver that advertises v1.7 or a later version, or the unstable feature `fi.mau.msc2659.stable`, has the stable path; `fi.mau.msc2659` alone is the unstable one.",
    side: "homeserver",
    wording: "stated",
    sources: [cs("get_matrixclientversions"), msc2659],
    parts: [
      {
        side: "client",
        wording: "stated",
        sentence: "A client compares versions as numbers: v1.10 is later than v1.7."
      }
    ]
  },
  {
    id: "C22",
    sentence:
      "A homeserver may have the ping at `/_matrix/client/unstable/fi.mau.msc2659/appservice/{id}/ping`, and answer there with errcodes such as `FI.MAU.MSC2659_URL_NOT_SET`.",
    side: "homeserver",
    wording: "MAY",
    sources: [msc2659]
  },
  {
    id: "C23",
    sentence:
      "The `id` and the `as_token` of each registration are unique on a homeserver, and the homeserver enforces it.",
    side: "homeserver",
    wording: "MUST",
    sources: [as("registration")],
    answer: "an error of the configuration",
    parts: [
      { side: "homeserver", wording: "silent", sentence: "`hs_token` and `url` may be there twice." },
      { side: "homeserver", wording: "decision", sentence: "The error comes at the start, before anything listens." }
    ]
  },
  {
    id: "C24",
    sentence: "All JSON is UTF-8, in requests and in answers.",
    side: "homeserver",
    wording: "must",
    sources: [cs("api-standards")],
    answer: "a body that is no UTF-8: 400 `M_NOT_JSON`",
    parts: [{ side: "client", wording: "must", sentence: "A client sends UTF-8, whatever is in its `transaction_id`." }]
  },
  {
    id: "C25",
    sentence: "Every answer that is JSON says `Content-Type: application/json`, the 200 too.",
    side: "homeserver",
    wording: "must",
    sources: [cs("api-standards")]
  },
  {
    id: "C26",
    sentence: "A homeserver refuses a `?device_id=` that it does not know of the user that the appservice acts as.",
    side: "homeserver",
    wording: "stated",
    since: "v1.17",
    sources: [as("identity-assertion"), msc(4326)],
    answer: "400 `M_UNKNOWN_DEVICE`",
    parts: [
      {
        side: "homeserver",
        wording: "stated",
        sentence: "It ignores the parameter below v1.17, and under a token that can act as nobody else."
      }
    ]
  },
  {
    id: "C27",
    sentence: "A homeserver that advertises v1.7 or a later version has the endpoint, for appservices alone.",
    side: "homeserver",
    wording: "MUST",
    sources: [as("client-server-api-extensions"), ping]
  },
  {
    id: "C28",
    sentence: "A homeserver does not rate-limit a ping without `user_id`, which the appservice's sender asks for.",
    side: "homeserver",
    wording: "expected",
    sources: [as("definition-registration"), ping],
    parts: [
      {
        side: "client",
        wording: "silent",
        sentence: "A client survives a 429 all the same, and waits as long as it says."
      },
      {
        side: "homeserver",
        wording: "decision",
        sentence: "Ours answers 429 where it would run more pings at once than it is set to: it is a bound, not a rate."
      }
    ]
  },
  {
    id: "C29",
    sentence: "A homeserver answers for an account that is locked or suspended with an error of its own.",
    side: "homeserver",
    wording: "MUST",
    since: "v1.12",
    sources: [cs("account-locking"), cs("account-suspension")],
    answer:
      "locked: 401 `M_USER_LOCKED` with `soft_logout: true` since v1.12; suspended, and refused: 403 `M_USER_SUSPENDED` since v1.13",
    parts: [
      {
        side: "client",
        wording: "silent",
        sentence: "A client takes neither for a token that the homeserver does not know."
      }
    ]
  },
  {
    id: "C30",
    sentence: "A homeserver answers `/versions` without a token, and may list more for some tokens.",
    side: "homeserver",
    wording: "MAY",
    since: "v1.10",
    sources: [cs("get_matrixclientversions"), msc(4026)],
    parts: [{ side: "client", wording: "should", sentence: "A client that has a token sends it." }]
  },
  {
    id: "C31",
    sentence: "`M_RESOURCE_LIMIT_EXCEEDED` carries `admin_contact`, and `M_USER_LIMIT_EXCEEDED` carries `info_uri`.",
    side: "homeserver",
    wording: "MUST",
    sources: [cs("common-error-codes"), cs("other-error-codes")],
    parts: [{ side: "client", wording: "silent", sentence: "A client reads both errors without their fields too." }]
  },
  {
    id: "C32",
    sentence: "A client judges an error by its `errcode` before its status, unless the `errcode` is `M_UNKNOWN`.",
    side: "client",
    wording: "should",
    sources: [cs("standard-error-response")]
  },
  {
    id: "C33",
    sentence: "Errors that do not come from the endpoint have `errcode` and `error` too: 404, 405, 413, 429 and 500.",
    side: "homeserver",
    wording: "MUST",
    sources: [cs("standard-error-response")]
  },
  {
    id: "C34",
    sentence:
      "A 405 names the methods of the endpoint in `Allow`, and a 401 the way to authenticate in `WWW-Authenticate`.",
    side: "homeserver",
    wording: "http",
    sources: [http("15.5.6"), http("15.5.2")]
  },
  {
    id: "C35",
    sentence: "A client reaches its homeserver over HTTPS, unless both are on one machine or in a test.",
    side: "client",
    wording: "recommended",
    sources: [cs("api-standards")]
  }
] as const satisfies ReadonlyArray<Rule>
