/** What this project decides where the spec is silent. */
import type { Rule } from "../../Rule.ts"
import { as, cs, decision, msc2659, outgoingPing, ping } from "./source.ts"

export const decisions = [
  {
    id: "D1",
    sentence: "A homeserver follows no redirect of an appservice.",
    side: "homeserver",
    wording: "decision",
    sources: [
      msc2659,
      decision(
        "A 3xx is no 2xx, so it is `M_BAD_STATUS` by the proposal. Following one has leaked the `hs_token` in a peer, and a 303 that became a GET counts as a success in another."
      )
    ],
    answer: "502 `M_BAD_STATUS`, with the `status` of the redirect",
    parts: [{ side: "client", wording: "decision", sentence: "A client follows no redirect of a homeserver either." }]
  },
  {
    id: "D2",
    sentence: "A 2xx status of the appservice decides; its body need not be JSON.",
    side: "homeserver",
    wording: "stated",
    sources: [
      msc2659,
      decision(
        "The spec names bad statuses and failed connections alone. A service that answers 200 to everything is found by a verified ping."
      )
    ]
  },
  {
    id: "D3",
    sentence: "One deadline covers connecting, the head and the body of the appservice's answer, also after a 2xx.",
    side: "homeserver",
    wording: "decision",
    sources: [decision("One peer waits for ever where a body stalls, and two call it a success.")],
    answer:
      "a stall past the deadline, 30 seconds unless it is set: 504 `M_CONNECTION_TIMEOUT`; a body cut short: 502 `M_CONNECTION_FAILED`"
  },
  {
    id: "D4",
    sentence: "A homeserver reads a bounded part of the appservice's answer: 64 KiB, unless it is set.",
    side: "homeserver",
    wording: "decision",
    sources: [cs("api-standards"), ping, decision("Peers read without a bound.")],
    answer: "`body` is that part, as UTF-8 with U+FFFD for what is none"
  },
  {
    id: "D5",
    sentence:
      "A homeserver checks in this order: the route and OPTIONS, the token (401), the user and the device that it acts as (403, 400), the id of the path (403), the body (400), and then `M_URL_NOT_SET`.",
    side: "homeserver",
    wording: "decision",
    sources: [decision("Nothing is read for a stranger.")]
  },
  {
    id: "D6",
    sentence: "A `url` that is empty counts as null.",
    side: "homeserver",
    wording: "decision",
    sources: [
      as("definition-registration"),
      decision("Synapse, Tuwunel and continuwuity do so; Conduit calls it and fails.")
    ],
    answer: "400 `M_URL_NOT_SET`"
  },
  {
    id: "D7",
    sentence: "A reset or a close before the first byte of the answer is a failed connection, never a timeout.",
    side: "homeserver",
    wording: "stated",
    sources: [msc2659, decision("A peer calls it a timeout, and misleads its users.")],
    answer: "502 `M_CONNECTION_FAILED`"
  },
  {
    id: "D8",
    sentence:
      "No token, no userinfo and no query string of a URL is in any `error`, `body`, log line, span or `Referer`; the cause and the rest of the URL are.",
    side: "homeserver",
    wording: "decision",
    sources: [
      msc2659,
      decision(
        "The proposal asks for a detailed explanation, and two peers put the `hs_token` into it. A service that mirrors headers would hand the `hs_token` to the holder of the `as_token`."
      )
    ]
  },
  {
    id: "D9",
    sentence: "The homeserver's ping has no `transaction_id` where the client gave none; an empty one is sent.",
    side: "homeserver",
    wording: "stated",
    sources: [msc2659, outgoingPing, decision("A peer sends null, and another rejects it.")]
  },
  {
    id: "D10",
    sentence: "Durations come from a clock that never goes back.",
    side: "homeserver",
    wording: "decision",
    sources: [decision("The wall clock is set while pings run.")]
  },
  {
    id: "D11",
    sentence: "A homeserver opens a connection for each ping, and sends it once.",
    side: "homeserver",
    wording: "decision",
    sources: [
      decision(
        "A ping reports the path as it is now, DNS and TLS included. No client sends a POST again on a connection that was dead, so a pool would report failures that are not there."
      )
    ]
  },
  {
    id: "D12",
    sentence:
      "The reference homeserver answers what a bridge asks before its first ping, for appservices alone and at the paths `v3` and `r0`: `/register` with the type `m.login.application_service`, and `/account/whoami` with `?user_id=`.",
    side: "homeserver",
    wording: "decision",
    sources: [
      as("server-admin-style-permissions"),
      cs("get_matrixclientv3accountwhoami"),
      decision(
        "Bridges give up at a 404 there. It is what they need to start, and no homeserver: nobody is logged in, users are remembered by the process alone, up to a bound, and any user of the namespaces can be acted as, registered or not."
      )
    ],
    answer:
      "200 `{\"user_id\": …}`; the second time 400 `M_USER_IN_USE`; outside of the namespaces 400 `M_EXCLUSIVE` to `/register`, 403 `M_FORBIDDEN` to `/account/whoami`"
  }
] as const satisfies ReadonlyArray<Rule>
