import { assert, describe, it } from "@effect/vitest"
import { join } from "node:path"
import * as Case from "./Case.ts"
import { leaksIn } from "./ClientJudge.ts"
import * as Corpus from "./Corpus.ts"
import type { Observed } from "./Exchange.ts"
import * as HandlerAnswer from "./HandlerAnswer.ts"
import { parse } from "./HttpAnswers.ts"
import { minimise } from "./Minimise.ts"
import * as Reference from "./Reference.ts"
import * as ServerJudge from "./ServerJudge.ts"

const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1")

const corpus = await Corpus.load(join(import.meta.dirname, "corpus"))

describe("an entry of the corpus", () => {
  it("is its lines with CRLF, with escapes, cuts, repetitions and tokens", () => {
    const entry = Corpus.parse(
      "answers",
      "a",
      "# About.\n# end: rst\nA: \\x00\\\n\\|b\\{3 of \\x41\\n}\n{{as_token}}\\\\\n"
    )
    assert.deepStrictEqual({ ...entry, bytes: Buffer.from(entry.bytes).toString("latin1") }, {
      kind: "answers",
      name: "a",
      about: "About.",
      ending: "rst",
      bytes: `A: \0bA\nA\nA\n\r\n${Corpus.tokens.as_token}\\`,
      cuts: [4]
    })
  })

  it("is written so that it is read as it was, whatever its bytes are", () => {
    for (let index = 0; index < 1000; index++) {
      const { input } = Case.make(corpus, 7, index)
      if (input.bytes.length > 5000) continue
      const again = Corpus.parse(input.kind, "again", Corpus.render("About.", input))
      assert.deepStrictEqual(Buffer.from(again.bytes), Buffer.from(input.bytes), `case ${index}`)
      assert.deepStrictEqual([again.cuts, again.ending], [
        input.cuts.filter((cut) => cut < input.bytes.length),
        input.ending
      ])
    }
  })

  it("without a comment, or with an unknown end, is refused", () => {
    assert.throws(() => Corpus.parse("answers", "a", "GET / HTTP/1.1\n"), "answers/a")
    assert.throws(() => Corpus.parse("answers", "a", "# About.\n# end: soon\n\n"), "an end of fin, rst")
  })
})

describe("a case", () => {
  it("follows from the seed and its number, and from nothing else", () => {
    for (const index of [0, 200, 100_000, 5_000_000]) {
      assert.deepStrictEqual(Case.make(corpus, 1, index), Case.make(corpus, 1, index))
    }
    assert.notDeepEqual(Case.make(corpus, 1, 5000).input, Case.make(corpus, 2, 5000).input)
    assert.notDeepEqual(Case.make(corpus, 1, 5000).input, Case.make(corpus, 1, 5001).input)
  })

  it("is the corpus as it is at first, and never longer than it may be", () => {
    for (const [index, entry] of corpus.entries()) assert.strictEqual(Case.make(corpus, 9, index).input, entry)
    for (let index = corpus.length; index < 1000; index++) {
      assert.isAtMost(Case.make(corpus, 9, index).input.bytes.length, 4 * 1024 * 1024)
    }
  })
})

const answer = (body: string, head = "Content-Type: application/json\r\n", status = "403 Forbidden"): string =>
  `HTTP/1.1 ${status}\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`

const forbidden = "{\"errcode\":\"M_FORBIDDEN\",\"error\":\"no\"}"

describe("the answers on a connection", () => {
  it("are told apart, informational ones left out", () => {
    const { answers, problem } = parse(latin1(`HTTP/1.1 100 Continue\r\n\r\n${answer("{}")}${answer("[]")}`), [])
    assert.isUndefined(problem)
    assert.deepStrictEqual(answers.map(({ body }) => body), ["{}", "[]"])
  })

  it("have no body where HEAD was asked", () => {
    const { answers } = parse(latin1(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${answer("{}")}`), ["HEAD"])
    assert.deepStrictEqual(answers.map(({ body }) => body), ["", "{}"])
  })

  it.each([
    ["no status line", "nonsense\r\n\r\n"],
    ["a status that is none", answer("", "", "1000 Odd")],
    ["two lengths", answer("{}", "Content-Length: 2\r\n")],
    ["a length and chunks", answer("{}", "Transfer-Encoding: chunked\r\n")],
    ["a header with a line end", answer("{}", "A: b\nc\r\n")],
    ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n"],
    ["a chunk that is longer than its size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"],
    ["something behind an answer", `${answer("{}")}x`]
  ])("are a problem: %s", (_, text) => {
    assert.isString(parse(latin1(text), []).problem)
  })
})

const mount = { name: "a mount", ownsParser: true, ownsAllPaths: true }

const request: Reference.ParsedRequest = {
  method: "POST",
  target: "/_matrix/app/v1/ping",
  headers: { host: "a" },
  body: new Uint8Array(),
  version: "1.1"
}

const parsed: Reference.Parsed = { requests: [request], isRefused: false }

const judged = (text: string, changes: Partial<Observed> = {}, as: ServerJudge.Traits = mount) =>
  ServerJudge.judge(as, { bytes: latin1(text), isClosed: true, millis: 1, ...changes }, parsed, {
    status: 403,
    errcode: "M_FORBIDDEN"
  }).map(({ kind }) => kind)

describe("a server", () => {
  it("is well where it says what its handler says, in Matrix form", () => {
    assert.deepStrictEqual(judged(answer(forbidden)), [])
  })

  it.each<readonly [string, string, string]>([
    ["no answer", "", "unanswered"],
    ["an answer that is none", "nonsense", "framing"],
    ["two lengths", answer(forbidden, "Content-Length: 2\r\n"), "framing"],
    ["another answer", answer(forbidden.replace("FORBIDDEN", "UNKNOWN")), "disagreement"],
    ["another status", answer(forbidden, undefined, "400 Bad"), "disagreement"],
    ["no JSON", answer("no"), "form"],
    ["no content type", answer(forbidden, ""), "form"],
    ["no error", answer("{\"errcode\":\"M_FORBIDDEN\"}"), "form"],
    ["a 500", answer(forbidden, undefined, "500 Error"), "server error"],
    [
      "the token",
      answer(JSON.stringify({ errcode: "M_FORBIDDEN", error: encodeURIComponent(Corpus.tokens.hs_token) })),
      "secret"
    ]
  ])("is not with %s", (_, text, kind) => {
    assert.include(judged(text), kind)
  })

  it("is not if the connection stays open", () => {
    assert.deepStrictEqual(judged(answer(forbidden), { isClosed: false }), ["hang"])
  })

  it("of somebody else may answer for itself what its parser refuses, and what is elsewhere", () => {
    const lax = { ...mount, ownsParser: false, ownsAllPaths: false }
    const nodes = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
    const broken: Reference.Parsed = { requests: [], isRefused: true }
    const of = (as: ServerJudge.Traits) =>
      ServerJudge.judge(as, { bytes: latin1(nodes), isClosed: true, millis: 1 }, broken, undefined)
    assert.deepStrictEqual(of(lax), [])
    assert.deepStrictEqual(of(mount).map(({ kind }) => kind), ["form"])
  })
})

describe("the answer of a handler", () => {
  it.each<[string, unknown, number | undefined]>([
    ["200\r\na: b\r\n\r\nc", { status: 200, headers: { a: "b" }, body: "c" }, 200],
    ["NaN\r\n\r\n", { status: Number.NaN, headers: {}, body: "" }, undefined],
    ["99\r\n\r\n", { status: 99, headers: {}, body: "" }, undefined],
    ["text", { status: "text", headers: {}, body: "" }, undefined],
    ["200\r\nx y: b\r\n\r\n", { status: 200, headers: { "x y": "b" }, body: "" }, undefined],
    ["200\r\nx: a\nb\r\n\r\n", { status: 200, headers: { x: "a\nb" }, body: "" }, undefined],
    ["undefined", undefined, undefined]
  ])("is read from %j, and is valid or not", (text, answer, status) => {
    assert.deepStrictEqual(HandlerAnswer.read(latin1(text)), answer)
    assert.strictEqual(HandlerAnswer.statusOf(answer), status)
  })

  it("has to become one whole answer of its status, or a 500", () => {
    const of = (text: string, status: number) =>
      ServerJudge.judgeMounted("a mount", { bytes: latin1(text), isClosed: true, millis: 1 }, status)
        .map(({ kind }) => kind)
    assert.deepStrictEqual(of(answer("{}", "", "200 OK"), 200), [])
    assert.deepStrictEqual(of(answer("{}", "", "200 OK"), 500), ["disagreement"])
    assert.deepStrictEqual(of(answer("{}", "", "200 OK").repeat(2), 200), ["framing"])
    assert.deepStrictEqual(of(answer("{}", "Content-Length: 3\r\n", "200 OK"), 200), ["framing"])
    assert.deepStrictEqual(of("", 200), ["unanswered"])
  })
})

describe("a token", () => {
  const token = Corpus.tokens.as_token
  it.each([
    ["as it is", token],
    ["percent-encoded", encodeURIComponent(token)],
    ["percent-encoded twice", encodeURIComponent(encodeURIComponent(token))],
    ["in JSON", JSON.stringify(token)],
    ["in Go's JSON", token.replace("&", "\\u0026").replace("<", "\\u003c").replace("\"", "\\\"")],
    ["in HTML", token.replace("&", "&amp;").replace("<", "&#60;").replace("\"", "&quot;")],
    ["in base64", Buffer.from(token).toString("base64")]
  ])("is found %s", (_, text) => {
    assert.isNotEmpty(leaksIn(`before ${text} after`))
  })

  it("is not found where it is not", () => {
    assert.deepStrictEqual(leaksIn(token.slice(0, 20)), [])
  })
})

describe("a failing input", () => {
  it("is made as small as it can be while it fails", async () => {
    const bytes = latin1(`${"a".repeat(500)}X${"b".repeat(300)}Y${"c".repeat(90)}`)
    const small = await minimise({ kind: "answers", bytes, cuts: [10, 505], ending: "fin" }, ({ bytes }) => {
      const text = Buffer.from(bytes).toString("latin1")
      return Promise.resolve(text.includes("X") && text.includes("Y"))
    })
    assert.deepStrictEqual({ ...small, bytes: Buffer.from(small.bytes).toString("latin1") }, {
      kind: "answers",
      bytes: "XY",
      cuts: [],
      ending: "fin"
    })
  })
})

describe("the requests that node:http reads", () => {
  it("are all of a connection, up to where it refuses one", async () => {
    const read = Reference.make(1024)
    const text =
      "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}nonsense\r\n\r\n"
    const { isRefused, requests } = await read({ kind: "homeserver", bytes: latin1(text), cuts: [], ending: "fin" })
    assert.deepStrictEqual(requests.map(({ body, method, target }) => [method, target, body.length]), [
      ["GET", "/a", 0],
      ["POST", "/b", 2]
    ])
    assert.isTrue(isRefused)
  })
})
