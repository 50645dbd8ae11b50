import * as Fault from "@appservice-ping/testbed/fault/Fault"
import type { Circumstances } from "@appservice-ping/testbed/fault/Kind"
import * as Body from "@appservice-ping/testbed/fault/kind/Body"
import { answers, names } from "@appservice-ping/testbed/fault/kind/PeerAnswer"
import { type Action } from "@appservice-ping/testbed/step/Action"
import { type Leg } from "@appservice-ping/testbed/step/Leg"
import { type Step } from "@appservice-ping/testbed/step/Step"
import { assert, describe, it } from "@effect/vitest"
import { Bytes, Duration } from "effect"

const decoder = new TextDecoder()

const circumstances = (fields?: Partial<Circumstances>): Circumstances => ({
  leg: "to_homeserver",
  draw: 0.5,
  time: 0,
  now: 0,
  path: "/ping",
  ...fields
})

const optional = (name: string, value: string | number | boolean | undefined): string =>
  value === undefined ? "" : ` ${name}=${value}`

const millis = (duration: Duration.Duration): number => Duration.toMillis(duration)

/** A step as a short text; written bytes as the text that they are. */
const stepText = (step: Step): string => {
  switch (step.step) {
    case "secure":
      return `secure ${step.certificate}${optional("version", step.version)}${
        optional("client_certificate", step.client_certificate)
      }`
    case "read":
      return `read${optional("bytes", step.bytes)}`
    case "write":
      return `write ${decoder.decode(step.bytes)}`
    case "relay":
      return `relay${optional("body", step.body)}${optional("from", step.from)}${optional("to", step.to)}${
        optional("size", step.size)
      }${step.gap === undefined ? "" : ` gap=${millis(step.gap)}`}`
    case "wait":
      return `wait ${millis(step.duration)}`
    case "close":
      return step.how
    case "forward":
    case "hang":
      return step.step
  }
}

const stepsOf = (action: Action): ReadonlyArray<string> =>
  action._tag === "Play" ? action.steps.map(stepText) : [action._tag]

const play = (fault: Fault.Fault, fields?: Partial<Circumstances>): ReadonlyArray<string> =>
  stepsOf(Fault.actionOf(fault, circumstances(fields)))

/** All bytes that a fault writes by itself. */
const written = (fault: Fault.Fault, fields?: Partial<Circumstances>): string => {
  const action = Fault.actionOf(fault, circumstances(fields))
  const steps = action._tag === "Play" ? action.steps : []
  return steps.flatMap((step) => step.step === "write" ? [decoder.decode(step.bytes)] : []).join("")
}

interface Parsed {
  readonly status: number
  readonly headers: ReadonlyArray<readonly [string, string]>
  readonly body: string
}

const parse = (text: string): Parsed => {
  const end = text.indexOf("\r\n\r\n")
  const [line = "", ...headers] = text.slice(0, end).split("\r\n")
  return {
    status: Number(line.split(" ")[1]),
    headers: headers.map((header) => {
      const colon = header.indexOf(": ")
      return [header.slice(0, colon), header.slice(colon + 2)] as const
    }),
    body: text.slice(end + 4)
  }
}

const headerOf = ({ headers }: Parsed, name: string): string | undefined =>
  headers.find(([other]) => other.toLowerCase() === name)?.[1]

const ms = Duration.millis
const halfHead = "write HTTP/1.1 200 OK\r\nContent-Type: applic"
const halfBody = (framing: string): string =>
  `write HTTP/1.1 200 \r\nContent-Type: application/json\r\nConnection: close\r\n${framing}\r\n`
const inBody = `${halfBody("Content-Length: 20\r\n")}{"cut":`

/** What FAULTS.md says of each fault, in steps. */
const table: ReadonlyArray<readonly [Fault.Fault, ReadonlyArray<string>]> = [
  [Fault.pass, ["Pass"]],
  [{ type: "dns", failure: "not_found" }, ["Resolve"]],
  [Fault.refused, ["Refuse"]],
  [{ type: "never_accepted" }, ["Ignore"]],
  [Fault.latency("50 millis"), ["wait 50", "forward", "relay"]],
  [Fault.latency("50 millis", { phase: "request" }), ["wait 50", "forward", "relay"]],
  [Fault.latency("50 millis", { phase: "response" }), ["forward", "wait 50", "relay"]],
  [Fault.latency("50 millis", { phase: "connect" }), ["wait 50", "secure good", "read", "forward", "relay"]],
  [
    { type: "latency", latency: { distribution: "uniform", min: ms(0), max: ms(100) } },
    ["wait 50", "forward", "relay"]
  ],
  [{ type: "tls", defect: "self_signed" }, ["secure self_signed", "read", "forward", "relay"]],
  [{ type: "tls", defect: "untrusted" }, ["secure untrusted", "read", "forward", "relay"]],
  [{ type: "tls", defect: "expired" }, ["secure expired", "read", "forward", "relay"]],
  [{ type: "tls", defect: "not_yet_valid" }, ["secure not_yet_valid", "read", "forward", "relay"]],
  [{ type: "tls", defect: "wrong_host" }, ["secure wrong_host", "read", "forward", "relay"]],
  [{ type: "tls", defect: "old_version" }, ["secure good version=1.1", "read", "forward", "relay"]],
  [
    { type: "tls", defect: "client_certificate_required" },
    ["secure good client_certificate=true", "read", "forward", "relay"]
  ],
  [Fault.resetPeer({ phase: "accept" }), ["rst"]],
  [Fault.resetPeer({ phase: "handshake" }), ["read bytes=1", "rst"]],
  [Fault.resetPeer({ phase: "request" }), ["secure good", "read bytes=1", "rst"]],
  [Fault.resetPeer({ phase: "before_headers" }), ["rst"]],
  [Fault.resetPeer({ phase: "in_headers" }), [halfHead, "rst"]],
  [Fault.resetPeer({ phase: "in_body" }), [inBody, "rst"]],
  [Fault.resetPeer({ phase: "after_answer" }), ["forward", "relay", "rst"]],
  [Fault.resetPeer({ phase: "next_request" }), ["forward", "relay", "read", "rst"]],
  [Fault.close({ phase: "accept" }), ["fin"]],
  [Fault.close({ phase: "before_headers" }), ["fin"]],
  [Fault.close({ phase: "in_body", framing: "content_length" }), [inBody, "fin"]],
  [Fault.close({ phase: "in_body", framing: "until_close" }), [`${halfBody("")}{"cut":`, "fin"]],
  [
    Fault.close({ phase: "in_body", framing: "chunked" }),
    [`${halfBody("Transfer-Encoding: chunked\r\n")}4\r\n{"cu\r\n10\r\nt":`, "fin"]
  ],
  [Fault.close({ phase: "in_headers", after: "20 millis" }), [halfHead, "wait 20", "fin"]],
  [Fault.close({ phase: "next_request" }), ["forward", "relay", "read", "fin"]],
  [Fault.stall({ phase: "accept" }), ["hang"]],
  [Fault.stall({ phase: "before_headers" }), ["hang"]],
  [Fault.stall({ phase: "in_headers" }), [halfHead, "hang"]],
  [Fault.stall({ phase: "after_answer" }), ["forward", "relay", "hang"]],
  [Fault.drip({ gap: "5 millis" }), ["forward", "relay size=1 gap=5"]],
  [{ type: "bandwidth", bytes_per_second: 1000 }, ["forward", "relay size=100 gap=100"]],
  [{ type: "bandwidth", bytes_per_second: 1 }, ["forward", "relay size=1 gap=1000"]],
  [{ type: "slicer", size: 3 }, ["forward", "relay size=3"]],
  [{ type: "slicer", size: 3, gap: ms(7) }, ["forward", "relay size=3 gap=7"]],
  [{ type: "limit_data", bytes: 30 }, ["forward", "relay to=30", "fin"]],
  [{ type: "limit_data", bytes: 30, how: "rst" }, ["forward", "relay to=30", "rst"]],
  [{ type: "limit_data", bytes: 30, how: "hang" }, ["forward", "relay to=30", "hang"]],
  [{ type: "slow_close", delay: ms(40) }, ["forward", "relay", "wait 40", "fin"]],
  [
    Fault.status(503, { headers: { "Retry-After": "5" }, body: "é" }),
    ["write HTTP/1.1 503 \r\nRetry-After: 5\r\nContent-Length: 2\r\nConnection: close\r\n\r\né", "fin"]
  ],
  [Fault.status(204, { body: "none" }), ["write HTTP/1.1 204 \r\nConnection: close\r\n\r\n", "fin"]],
  [
    { type: "redirect", status: 307, location: "http://elsewhere.test/" },
    ["write HTTP/1.1 307 \r\nLocation: http://elsewhere.test/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "fin"]
  ],
  [
    { type: "redirect", status: 302, location: "self" },
    ["write HTTP/1.1 302 \r\nLocation: /ping\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "fin"]
  ],
  [{ type: "informational", status: 100 }, ["write HTTP/1.1 100 \r\n\r\n", "forward", "relay"]],
  [
    { type: "informational", status: 102, count: 2, gap: ms(5), ending: "hang" },
    ["write HTTP/1.1 102 \r\n\r\n", "wait 5", "write HTTP/1.1 102 \r\n\r\n", "wait 5", "hang"]
  ],
  [
    { type: "informational", status: 103, ending: "fin" },
    ["write HTTP/1.1 103 \r\nLink: </style.css>; rel=preload\r\n\r\n", "fin"]
  ],
  [Fault.lostAnswer(), ["forward", "rst"]],
  [{ type: "lost_answer" }, ["forward", "rst"]],
  [Fault.lostAnswer("fin"), ["forward", "fin"]],
  [Fault.lostAnswer("hang"), ["forward", "hang"]],
  [{ type: "replayed" }, ["forward", "forward", "relay"]],
  [{ type: "replayed", times: 3 }, ["forward", "forward", "forward", "relay"]],
  [{ type: "duplicate" }, ["forward", "relay", "relay"]],
  [Fault.crash({ down_for: "5 seconds" }), ["Crash"]],
  [
    { type: "script", steps: [{ step: "read", bytes: 7 }, { step: "relay", body: true, from: 1, to: -2 }] },
    ["read bytes=7", "relay body=true from=1 to=-2"]
  ]
]

describe("Fault", () => {
  it("plays each fault in the steps that it stands for", () => {
    for (const [fault, steps] of table) assert.deepStrictEqual(play(fault), steps, JSON.stringify(fault))
  })

  it("has said so of every type of fault, here or below", () => {
    const below = ["rate_limited", "framing", "head", "body", "peer_answer"]
    assert.deepStrictEqual(
      new Set([...table.map(([{ type }]) => type), ...below]),
      new Set<string>(Fault.types)
    )
  })

  it("forwards the request for each fault that keeps its side effects, and for no other", () => {
    const kept = table.filter(([, steps]) => steps.includes("forward")).map(([{ type }]) => type)
    assert.deepStrictEqual(
      new Set(kept),
      new Set([
        "latency",
        "tls",
        "reset_peer",
        "close",
        "stall",
        "drip",
        "bandwidth",
        "slicer",
        "limit_data",
        "slow_close",
        "informational",
        "lost_answer",
        "replayed",
        "duplicate"
      ])
    )
  })

  it("reads a request for a fault of a connection only: that of a request has been read", () => {
    const wrong = table.filter(([fault, steps]) => {
      const reads = steps.some((step) => step.startsWith("secure") || /^read(?: bytes=1)?$/.test(step))
      const isNext = "phase" in fault && fault.phase === "next_request"
      return reads && !isNext && Fault.stageOf(fault) !== "connection"
    })
    assert.deepStrictEqual(wrong, [])
  })

  it("tells how a name is not found, and how long a crash lasts", () => {
    for (const failure of ["not_found", "try_again", "hang"] as const) {
      assert.deepStrictEqual(Fault.actionOf({ type: "dns", failure }, circumstances()), { _tag: "Resolve", failure })
    }
    const action = Fault.actionOf(Fault.crash({ down_for: "5 seconds" }), circumstances())
    assert.deepStrictEqual(action, { _tag: "Crash", down_for: Duration.seconds(5) })
  })

  describe("tls", () => {
    const bytes = (defect: "alert" | "plain_http") => {
      const action = Fault.actionOf({ type: "tls", defect }, circumstances())
      return action._tag === "Play" ? action.steps : []
    }

    it("answers a hello with a fatal alert, or in plain HTTP", () => {
      const [read, alert, end] = bytes("alert")
      assert.deepStrictEqual([read, end], [{ step: "read", bytes: 1 }, { step: "close", how: "fin" }])
      assert.deepStrictEqual(alert, { step: "write", bytes: Uint8Array.of(21, 3, 3, 0, 2, 2, 40) })
      assert.strictEqual(parse(written({ type: "tls", defect: "plain_http" })).status, 400)
    })
  })

  describe("drip", () => {
    it("sends an answer of its own byte by byte, all of it", () => {
      const fault = Fault.drip({ gap: "5 millis", status: 500, body: "é" })
      const steps = play(fault)
      const bytes = "HTTP/1.1 500 \r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
      assert.lengthOf(steps, (bytes.length + 2) * 2 + 1)
      assert.deepStrictEqual(steps.slice(0, 3), ["wait 5", "write H", "wait 5"])
      assert.strictEqual(steps.at(-1), "fin")
      const action = Fault.actionOf(fault, circumstances())
      const sent = action._tag === "Play"
        ? action.steps.flatMap((step) => step.step === "write" ? [...step.bytes] : [])
        : []
      assert.strictEqual(decoder.decode(Uint8Array.from(sent)), `${bytes}é`)
    })
  })

  describe("rate_limited", () => {
    const answer = (form?: "seconds" | "date" | "body") =>
      parse(
        written({ type: "rate_limited", retry_after: ms(1500), ...form === undefined ? {} : { form } }, {
          now: Date.UTC(2026, 0, 1)
        })
      )

    it("says the wait in seconds, as a date or in the body, and never too short", () => {
      assert.strictEqual(headerOf(answer(), "retry-after"), "2")
      assert.strictEqual(headerOf(answer("seconds"), "retry-after"), "2")
      assert.strictEqual(headerOf(answer("date"), "retry-after"), "Thu, 01 Jan 2026 00:00:02 GMT")
      assert.isUndefined(headerOf(answer("body"), "retry-after"))
      assert.deepStrictEqual(JSON.parse(answer("body").body), {
        errcode: "M_LIMIT_EXCEEDED",
        error: "Too many requests",
        retry_after_ms: 1500
      })
      for (const form of ["seconds", "date", "body"] as const) assert.strictEqual(answer(form).status, 429)
    })
  })

  describe.each<Leg>(["to_homeserver", "to_appservice"])("%s", (leg) => {
    const good = leg === "to_homeserver" ? "{\"duration_ms\":5}" : "{}"
    const framing = (defect: Parameters<typeof Fault.framing>[0]) =>
      parse(written({ type: "framing", defect }, { leg }))

    it("framing: breaks HTTP in each way by its name, around a good body", () => {
      assert.isTrue(framing("bad_chunk_size").body.startsWith("zz\r\n"))
      assert.strictEqual(headerOf(framing("bad_chunk_size"), "transfer-encoding"), "chunked")
      const tooLong = framing("length_too_long")
      assert.strictEqual(Number(headerOf(tooLong, "content-length")), good.length + 100)
      assert.strictEqual(tooLong.body, good)
      const extra = framing("extra_bytes")
      assert.strictEqual(extra.body.slice(0, Number(headerOf(extra, "content-length"))), good)
      assert.isAbove(extra.body.length, good.length)
      const both = framing("length_and_chunked")
      assert.strictEqual(headerOf(both, "transfer-encoding"), "chunked")
      assert.strictEqual(headerOf(both, "content-length"), String(good.length))
      assert.strictEqual(both.body, `${good.length.toString(16)}\r\n${good}\r\n0\r\n\r\n`)
      assert.lengthOf(framing("duplicate_length").headers.filter(([name]) => /^content-length$/i.test(name)), 2)
      assert.strictEqual(headerOf(framing("negative_length"), "content-length"), "-1")
      assert.deepStrictEqual([framing("body_on_204").status, framing("body_on_204").body], [204, good])
      assert.match(written({ type: "framing", defect: "http_1_0" }, { leg }), /^HTTP\/1\.0 200 /)
      const open = framing("until_close")
      assert.isUndefined(headerOf(open, "content-length") ?? headerOf(open, "transfer-encoding"))
      assert.strictEqual(open.body, good)
    })

    const body = (defect: Parameters<typeof Fault.body>[0], status?: number) =>
      parse(written({ type: "body", defect, ...status === undefined ? {} : { status } }, { leg }))

    it("body: breaks what a well framed answer carries in each way by its name", () => {
      assert.strictEqual(body("truncated_json").body, good.slice(0, -1))
      assert.throws(() => JSON.parse(body("malformed_json").body))
      assert.isTrue(Array.isArray(JSON.parse(body("wrong_type").body)))
      assert.strictEqual(body("empty").body, "")
      assert.include(body("not_utf8").body, "\ufffd")
      assert.strictEqual(body("bom").body, `\ufeff${good}`)
      assert.match(body("deep").body, /^\[{20000}\]{20000}$/)
      assert.isAbove(body("huge").body.length, 2 * 1024 * 1024)
      assert.strictEqual(headerOf(body("wrong_content_type"), "content-type"), "text/html")
      assert.strictEqual(body("wrong_content_type").body, good)
      assert.strictEqual(headerOf(body("bad_gzip"), "content-encoding"), "gzip")
      assert.strictEqual(body("empty", 500).status, 500)
    })

    it("body: has the length that its head says", () => {
      for (const defect of Body.kind.schema.fields.defect.literals) {
        const action = Fault.actionOf({ type: "body", defect }, circumstances({ leg }))
        const steps = action._tag === "Play" ? action.steps : []
        const bytes = Bytes.concat(steps.flatMap((step) => step.step === "write" ? [step.bytes] : []))
        // ASCII up to the end of the head, so that its length in text is its length in bytes.
        const text = new TextDecoder("latin1").decode(bytes)
        const { headers } = parse(text)
        const length = headers.find(([name]) => name === "Content-Length")?.[1]
        assert.strictEqual(bytes.length - text.indexOf("\r\n\r\n") - 4, Number(length), defect)
      }
    })

    it("head: is no HTTP that any client takes", () => {
      const head = (defect: Parameters<typeof Fault.head>[0]) => written({ type: "head", defect }, { leg })
      assert.match(head("not_http"), /^SSH-2\.0/)
      assert.notMatch(head("garbage"), /HTTP/)
      assert.match(head("bad_status_line"), /^HTTP\/1\.1 [a-z]/)
      assert.include(head("bad_header"), "Bad Header\u0001\r\n")
      const huge = parse(head("huge_headers"))
      assert.isAbove(headerOf(huge, "x-padding")?.length ?? 0, 200 * 1024 - 1)
      assert.strictEqual(huge.body.length, Number(headerOf(huge, "content-length")))
      assert.deepStrictEqual([...new TextEncoder().encode(head("http2_preface"))], [0, 0, 0, 4, 0, 0, 0, 0, 0])
    })
  })

  it.each(names)("peer_answer: answers %s as the real peer does, and ends the connection", (name) => {
    const { body, contentType, leg, status } = answers[name]
    const answer = parse(written(Fault.peerAnswer(name), { leg }))
    assert.deepStrictEqual([answer.status, answer.body], [status, body])
    assert.strictEqual(headerOf(answer, "content-type"), contentType)
    assert.strictEqual(Number(headerOf(answer, "content-length")), new TextEncoder().encode(body).length)
    assert.strictEqual(play(Fault.peerAnswer(name), { leg }).at(-1), "fin")
  })

  it.each<[string, () => Fault.Fault]>([
    ["gap", () => Fault.drip({ gap: Number.NaN })],
    ["gap", () => Fault.slicer({ size: 1, gap: Number.POSITIVE_INFINITY })],
    ["delay", () => Fault.slowClose({ delay: -1 })],
    ["retry_after", () => Fault.rateLimited({ retry_after: "900 hours" })],
    ["bytes_per_second", () => Fault.bandwidth({ bytes_per_second: Number.NaN })],
    ["size", () => Fault.slicer({ size: 0 })],
    ["times", () => Fault.replayed({ times: 1.5 })],
    ["count", () => Fault.informational(102, { count: 10_001 })]
  ])("refuses a %s that bounds nothing, by its name", (field, make) => {
    assert.throws(make, new RegExp(`^${field}: |at \\["${field}"\\]`))
  })
})
