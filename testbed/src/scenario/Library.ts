/**
 * Scenarios that come with the testbed: what users of bridges and homeservers have suffered from, by name.
 *
 * @since 0.1.0
 */
import { Duration } from "effect"
import * as Fault from "../fault/Fault.ts"
import { type Match, of, type Plan, type When } from "../plan/Plan.ts"
import type { Leg } from "../step/Leg.ts"
import type { Expectation, Scenario, ScenarioPing } from "./Scenario.ts"

const appservice = "to_appservice"
const homeserver = "to_homeserver"

const seconds = Duration.seconds

/** Short enough for a run on real sockets, and far above what a busy machine adds. */
const given = { ping_timeout: seconds(2), client_timeout: seconds(5) }

const expecting = (answer: Expectation["answer"], rest?: Omit<Expectation, "answer">): ScenarioPing => ({
  expect: { answer, ...rest }
})

/** One ping through one fault. */
const single = (
  name: string,
  title: string,
  leg: Leg,
  fault: Fault.Fault,
  expect: ScenarioPing,
  options?: { readonly match?: Match; readonly when?: When; readonly tls?: boolean }
): Scenario => ({
  name,
  title,
  given: options?.tls === true ? { ...given, tls: true } : given,
  plan: of(leg, fault, {
    ...options?.match === undefined ? {} : { match: options.match },
    ...options?.when === undefined ? {} : { when: options.when }
  }),
  pings: [expect]
})

const several = (name: string, title: string, plan: Plan, pings: ReadonlyArray<ScenarioPing>): Scenario => ({
  name,
  title,
  given,
  plan,
  pings
})

const once = { attempts: 1 } as const
const unseen = { attempts: 1, calls: 0 } as const

const page = "<!doctype html><title>502 Bad Gateway</title>"
const html = { "Content-Type": "text/html" }

/**
 * Every scenario of the library.
 *
 * @category constructors
 * @since 0.1.0
 */
export const library: ReadonlyArray<Scenario> = [
  several("healthy", "Nothing is wrong", { rules: [] }, [expecting("Success", { attempts: 1, calls: 1 })]),

  // The registration, or what its url leads to.
  single(
    "hs-token-drift",
    "The two copies of the registration have different hs_tokens",
    appservice,
    Fault.peerAnswer("token_drift_mautrix_go"),
    expecting("M_BAD_STATUS", { status: 401, ...unseen })
  ),
  single(
    "hs-token-drift-without-errcode",
    "An appservice rejects the hs_token with AUTH_FAILED",
    appservice,
    Fault.peerAnswer("token_drift_matrix_bot_sdk"),
    expecting("M_BAD_STATUS", { status: 401, ...unseen })
  ),
  single(
    "url-leads-to-homeserver",
    "The url of the registration leads to the homeserver itself",
    appservice,
    Fault.peerAnswer("homeserver_itself"),
    expecting("M_BAD_STATUS", { status: 404, ...unseen })
  ),
  single(
    "url-leads-to-another-service",
    "Another service answers 200: only a verified ping notices (D2)",
    appservice,
    Fault.peerAnswer("wrong_service_html"),
    expecting("Success", unseen)
  ),
  single(
    "url-redirects",
    "The url redirects to itself, and no redirect is followed (D1)",
    appservice,
    { type: "redirect", status: 307, location: "self" },
    expecting("M_BAD_STATUS", { status: 307, ...unseen })
  ),
  single(
    "appservice-too-old",
    "The appservice does not know the ping",
    appservice,
    Fault.peerAnswer("appservice_too_old"),
    expecting("M_BAD_STATUS", { status: 404, ...unseen })
  ),

  // The appservice and the network in front of it.
  single(
    "appservice-not-running",
    "Nothing listens where the appservice should be",
    appservice,
    Fault.refused,
    expecting("M_CONNECTION_FAILED", unseen)
  ),
  several(
    "appservice-starts-late",
    "The appservice is not up for the first two pings, and the start-up gate waits for it",
    of(appservice, Fault.refused, { when: { first: 2 } }),
    [{ retry: seconds(60), expect: { answer: "Success", attempts: 3, calls: 1 } }]
  ),
  several(
    "appservice-crashes",
    "The appservice dies in the middle of a ping and is back a second later",
    of(appservice, Fault.crash({ down_for: seconds(1) }), { when: { nth: 1 } }),
    [
      expecting("M_CONNECTION_FAILED", unseen),
      { retry: seconds(60), expect: { answer: "Success", calls: 1 } }
    ]
  ),
  several(
    "appservice-flaps",
    "Every second request fails",
    {
      rules: [{
        leg: appservice,
        sequence: [{ fault: Fault.pass }, { fault: Fault.status(503) }],
        end: "cycle"
      }]
    },
    [
      expecting("Success", { calls: 1 }),
      expecting("M_BAD_STATUS", { status: 503, calls: 0 }),
      expecting("Success", { calls: 1 }),
      expecting("M_BAD_STATUS", { status: 503, calls: 0 })
    ]
  ),
  single(
    "appservice-unknown-host",
    "The host name of the url is not known",
    appservice,
    { type: "dns", failure: "not_found" },
    expecting("M_CONNECTION_FAILED", unseen)
  ),
  single(
    "appservice-behind-firewall",
    "A firewall swallows every packet to the appservice",
    appservice,
    { type: "never_accepted" },
    expecting("M_CONNECTION_TIMEOUT", { ...unseen, at_least: seconds(2), at_most: seconds(3) })
  ),
  single(
    "appservice-hangs",
    "The appservice takes the request and never answers",
    appservice,
    Fault.stall({ phase: "before_headers" }),
    expecting("M_CONNECTION_TIMEOUT", { ...unseen, at_least: seconds(2), at_most: seconds(3) })
  ),
  single(
    "appservice-hangs-in-body",
    "The answer stalls after a good head (D3)",
    appservice,
    Fault.stall({ phase: "in_body" }),
    expecting("M_CONNECTION_TIMEOUT", { ...unseen, at_least: seconds(2), at_most: seconds(3) })
  ),
  single(
    "appservice-drips",
    "Each byte of the answer comes in time, and all of them do not",
    appservice,
    Fault.drip({ gap: "100 millis" }),
    expecting("M_CONNECTION_TIMEOUT", { attempts: 1, calls: 1, at_least: seconds(2), at_most: seconds(3) })
  ),
  single(
    "appservice-slow-but-in-time",
    "The appservice takes its time, and the homeserver waits",
    appservice,
    Fault.latency(seconds(1)),
    expecting("Success", { attempts: 1, calls: 1, at_least: seconds(1), at_most: seconds(2) })
  ),
  single(
    "appservice-resets",
    "The connection is reset before the first byte (D7)",
    appservice,
    Fault.resetPeer({ phase: "before_headers" }),
    expecting("M_CONNECTION_FAILED", unseen)
  ),
  single(
    "answer-cut-short",
    "The connection is closed in the body, after a good head (D3)",
    appservice,
    Fault.close({ phase: "in_body" }),
    expecting("M_CONNECTION_FAILED", unseen)
  ),
  single(
    "answer-lost",
    "The appservice got the ping and acted on it; its answer is lost",
    appservice,
    Fault.lostAnswer("rst"),
    expecting("M_CONNECTION_FAILED", { attempts: 1, calls: 1 })
  ),
  single(
    "request-replayed",
    "Something on the way delivers the request twice",
    appservice,
    { type: "replayed", times: 2 },
    expecting("Success", { attempts: 1, calls: 2 })
  ),
  single(
    "answer-too-long",
    "The answer is larger than anyone reads (D4)",
    appservice,
    { type: "body", defect: "huge", status: 500 },
    expecting("M_BAD_STATUS", { status: 500, ...unseen })
  ),
  single(
    "not-http",
    "What listens on the port does not speak HTTP",
    appservice,
    Fault.head("not_http"),
    expecting("M_CONNECTION_FAILED", unseen)
  ),
  single(
    "certificate-expired",
    "The certificate of the appservice has expired",
    appservice,
    { type: "tls", defect: "expired" },
    expecting("M_CONNECTION_FAILED", unseen),
    { tls: true }
  ),
  single(
    "certificate-for-another-host",
    "The certificate of the appservice is for another host",
    appservice,
    { type: "tls", defect: "wrong_host" },
    expecting("M_CONNECTION_FAILED", unseen),
    { tls: true }
  ),
  single(
    "http-on-https-port",
    "The url says https, and the appservice speaks plain HTTP",
    appservice,
    { type: "tls", defect: "plain_http" },
    expecting("M_CONNECTION_FAILED", unseen),
    { tls: true }
  ),

  // The homeserver and the proxies in front of it.
  single(
    "homeserver-not-running",
    "Nothing listens where the homeserver should be",
    homeserver,
    Fault.refused,
    expecting("HomeserverUnreachable", unseen)
  ),
  several(
    "homeserver-starts-late",
    "First its name is not known, then nothing listens, then a proxy says 502, and then it is there",
    {
      rules: [
        {
          id: "starting",
          leg: homeserver,
          sequence: [{ fault: { type: "dns", failure: "not_found" } }, { fault: Fault.refused }]
        },
        { id: "proxy", leg: homeserver, fault: Fault.status(502, { headers: html, body: page }), when: { nth: 1 } }
      ]
    },
    [{ retry: seconds(60), expect: { answer: "Success", attempts: 4, calls: 1 } }]
  ),
  single(
    "homeserver-behind-broken-proxy",
    "A proxy in front of the homeserver does not get through",
    homeserver,
    Fault.status(502, { headers: html, body: page }),
    expecting("NotHomeserver", unseen)
  ),
  single(
    "client-gives-up-first",
    "The client waits less than the homeserver: the ping is undecided, not failed",
    homeserver,
    Fault.latency(seconds(8), { phase: "response" }),
    expecting("Undecided", { attempts: 1, calls: 1, at_least: seconds(5), at_most: seconds(6) })
  ),
  single(
    "homeserver-answer-lost",
    "The ping worked, and the homeserver's answer is lost on its way to the client",
    homeserver,
    Fault.lostAnswer("fin"),
    expecting("Undecided", { attempts: 1, calls: 1 })
  ),
  several(
    "rate-limited",
    "The homeserver limits the rate, and the gate waits as long as it asks",
    of(homeserver, { type: "rate_limited", retry_after: seconds(3), form: "seconds" }, { when: { nth: 1 } }),
    [{ retry: seconds(60), expect: { answer: "Success", attempts: 2, calls: 1, at_least: seconds(3) } }]
  ),
  several(
    "quota",
    "Two pings an hour are allowed",
    {
      rules: [{
        leg: homeserver,
        fault: { type: "rate_limited", retry_after: seconds(3600), form: "body" },
        when: { beyond: { limit: 2, window: Duration.hours(1) } }
      }]
    },
    [
      expecting("Success", once),
      expecting("Success", once),
      expecting("M_LIMIT_EXCEEDED", unseen),
      expecting("M_LIMIT_EXCEEDED", unseen)
    ]
  ),
  single(
    "as-token-unknown",
    "The homeserver has not loaded the registration",
    homeserver,
    Fault.peerAnswer("unknown_token"),
    expecting("M_UNKNOWN_TOKEN", unseen)
  ),
  single(
    "homeserver-too-old",
    "The homeserver has no ping",
    homeserver,
    Fault.peerAnswer("unrecognized"),
    expecting("M_UNRECOGNIZED", unseen)
  ),
  single(
    "homeserver-gives-no-reason",
    "The homeserver answers 500 M_UNKNOWN to every failed ping",
    homeserver,
    Fault.peerAnswer("unknown"),
    expecting("M_UNKNOWN", unseen)
  ),
  single(
    "duration-zero",
    "A duration_ms of 0 is a success",
    homeserver,
    Fault.peerAnswer("duration_zero"),
    expecting("Success", unseen)
  ),

  {
    ...several(
      "keep-alive-race",
      "The homeserver closes a kept connection just when the next ping is sent on it: that ping is undecided",
      of(homeserver, Fault.close({ phase: "next_request" }), { when: { nth: 1 } }),
      [
        expecting("Success", { attempts: 1, calls: 1 }),
        expecting("Undecided", { attempts: 1, calls: 0 }),
        expecting("Success", { attempts: 1, calls: 1 })
      ]
    ),
    given: { ...given, keep_alive: true }
  },

  // Real peers.
  {
    ...single(
      "synapse-calls-a-reset-a-timeout",
      "Synapse reports a reset before the first byte as a timeout",
      appservice,
      Fault.resetPeer({ phase: "before_headers" }),
      expecting("M_CONNECTION_TIMEOUT", { ...unseen, at_most: seconds(1) })
    ),
    given: { ...given, homeserver: "synapse" }
  },
  {
    ...single(
      "continuwuity-gives-no-errcode",
      "continuwuity answers 500 M_UNKNOWN where others say M_BAD_STATUS",
      appservice,
      Fault.peerAnswer("token_drift_mautrix_go"),
      expecting("M_UNKNOWN", unseen)
    ),
    given: { ...given, homeserver: "continuwuity" }
  },
  {
    ...single(
      "conduit-takes-a-cut-answer-for-success",
      "Conduit decides by the head, and does not notice that the body is cut short",
      appservice,
      Fault.close({ phase: "in_body" }),
      expecting("Success", unseen)
    ),
    given: { ...given, homeserver: "conduit" }
  },
  {
    ...several(
      "matrix-bot-sdk-refuses-foreign-pings",
      "An appservice on matrix-bot-sdk answers 400 to a ping that it has not sent itself",
      { rules: [] },
      [expecting("M_BAD_STATUS", { status: 400, attempts: 1, calls: 1 })]
    ),
    given: { ...given, homeserver: "synapse", appservice: "matrix_bot_sdk_element" },
    heal: false
  },

  // Both legs, and many at once.
  several(
    "both-legs-slow",
    "Both legs are slow, and both in time",
    {
      rules: [
        { leg: homeserver, fault: Fault.latency("700 millis", { phase: "response" }) },
        { leg: appservice, fault: Fault.latency("700 millis") }
      ]
    },
    [expecting("Success", { attempts: 1, calls: 1, at_least: Duration.millis(1400), at_most: seconds(3) })]
  ),
  several(
    "some-of-many",
    "Of forty pings at once, some fail by chance, and the others are not touched",
    {
      seed: 7,
      rules: [{ leg: appservice, fault: Fault.status(500), when: { probability: 0.3 } }]
    },
    [{ together: 40, expect: { answer: ["Success", "M_BAD_STATUS"], attempts: 1 } }]
  )
]

/**
 * Finds a scenario of the library.
 *
 * @category combinators
 * @since 0.1.0
 */
export const find = (name: string): Scenario | undefined => library.find((scenario) => scenario.name === name)
