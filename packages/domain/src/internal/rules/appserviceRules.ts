/** The rules between a homeserver and an appservice. */
import type { Rule } from "../../Rule.ts"
import { as, cs, issue, msc, msc2659, outgoingPing } from "./source.ts"

export const appserviceRules = [
  {
    id: "A1",
    sentence: "A homeserver sends the `hs_token` in an `Authorization: Bearer` header.",
    side: "homeserver",
    wording: "MUST",
    sources: [as("authorisation"), msc(2832)],
    parts: [
      {
        side: "homeserver",
        wording: "should",
        sentence:
          "It sends the query parameter `access_token` to legacy appservices alone, beside the header; no appservice with a ping needs it."
      }
    ]
  },
  {
    id: "A2",
    sentence: "An appservice verifies the `hs_token`.",
    side: "appservice",
    wording: "MUST",
    sources: [as("authorisation"), as("pinging")],
    answer: "403 `M_FORBIDDEN`, as in the spec's example",
    parts: [
      {
        side: "appservice",
        wording: "should",
        sentence: "Where header and query both carry a token, they have to match."
      }
    ]
  },
  {
    id: "A3",
    sentence: "An appservice refuses a ping without a token.",
    side: "appservice",
    wording: "silent",
    sources: [as("authorisation"), issue(1527), issue(1528)],
    answer: "401 `M_MISSING_TOKEN`; others answer 403"
  },
  {
    id: "A4",
    sentence:
      "An appservice reads an object with an optional string `transaction_id`; an empty body and `transaction_id: null` count as none.",
    side: "appservice",
    wording: "silent",
    sources: [outgoingPing],
    answer: "not JSON: 400 `M_NOT_JSON`; no object, or a `transaction_id` of another type: 400 `M_BAD_JSON`",
    parts: [
      { side: "appservice", wording: "decision", sentence: "`null` is tolerated, because a homeserver sends it." }
    ]
  },
  {
    id: "A5",
    sentence: "An appservice answers a ping with the right token with success.",
    side: "appservice",
    wording: "stated",
    sources: [outgoingPing, msc2659],
    answer: "200 `{}`",
    parts: [
      { side: "appservice", wording: "MAY", sentence: "It checks that the ping is one of those that it has asked for." }
    ]
  },
  {
    id: "A6",
    sentence:
      "An appservice answers 404 to an endpoint that it does not have, and 405 to another method of one that it has.",
    side: "appservice",
    wording: "must",
    sources: [as("unknown-routes")],
    answer: "404 or 405 `M_UNRECOGNIZED`"
  },
  {
    id: "A7",
    sentence: "A homeserver falls back to no legacy route for the ping: there is none.",
    side: "homeserver",
    wording: "stated",
    sources: [as("legacy-routes")]
  },
  {
    id: "A8",
    sentence: "The `url` of a registration may have a path; it and the path of the ping are joined with one slash.",
    side: "homeserver",
    wording: "stated",
    sources: [as("definition-registration")],
    parts: [
      { side: "homeserver", wording: "silent", sentence: "A slash at the end of the `url` is not doubled." }
    ]
  },
  {
    id: "A9",
    sentence: "An appservice may have the ping at `/_matrix/app/unstable/fi.mau.msc2659/ping`.",
    side: "appservice",
    wording: "MAY",
    sources: [msc2659]
  },
  {
    id: "A10",
    sentence: "An appservice does not give up on a temporary failure, such as a homeserver that starts after it.",
    side: "appservice",
    wording: "should",
    sources: [as("pinging")]
  },
  {
    id: "A11",
    sentence: "A homeserver calls the ping of an appservice as the direct result of a client's ping alone.",
    side: "homeserver",
    wording: "stated",
    sources: [outgoingPing],
    parts: [
      {
        side: "appservice",
        wording: "stated",
        sentence: "An appservice that never asks for a ping need not have one: its 404 conforms."
      }
    ]
  },
  {
    id: "A12",
    sentence: "A ping has no effect on an appservice but its answer.",
    side: "appservice",
    wording: "stated",
    sources: [msc2659]
  },
  {
    id: "A13",
    sentence: "The body of the homeserver's ping is a JSON object as `application/json`, `{}` without an id.",
    side: "homeserver",
    wording: "stated",
    sources: [outgoingPing, cs("api-standards")]
  },
  {
    id: "A14",
    sentence:
      "The spec asks for no body of an appservice's error: a homeserver goes by the status, and where there is one by the `errcode`.",
    side: "homeserver",
    wording: "silent",
    sources: [outgoingPing, issue(2235)]
  }
] as const satisfies ReadonlyArray<Rule>
