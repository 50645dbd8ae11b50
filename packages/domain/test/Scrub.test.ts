// D8: no text that someone else wrote carries a secret into an error, a log or a terminal, whoever's secret it is.
import * as Answer from "@appservice-ping/domain/Answer"
import * as Token from "@appservice-ping/domain/Token"
import { assert, describe, it } from "@effect/vitest"
import { Redacted, Result } from "effect"
import { leaks } from "./support/canary.ts"
import { cpuMillis } from "./support/cpu.ts"

const canary = "c4n4ry_0f-s0meb0dy.else"

/** Texts that mark a token which nobody here knows, as peers and proxies write them. */
const marked: ReadonlyArray<readonly [encoding: string, text: string]> = [
  [
    "continuwuity",
    `Request error: error sending request for url (http://as:29318/_matrix/app/v1/ping?access_token=${canary})`
  ],
  [
    "Tuwunel",
    `Could not send request to appservice appservice="irc" dest=http://as:29318 e=reqwest::Error { kind: Request, url: "http://as:29318/_matrix/app/v1/ping?access_token=${canary}", source: TimedOut }`
  ],
  ["Go", `Post "http://as:29318/_matrix/app/v1/ping?access_token=${canary}&x=y": EOF`],
  ["Express", `<pre>Cannot POST /_matrix/app/v1/ping?access_token=${canary}</pre>`],
  ["first of many", `?access_token=${canary}&user_id=@a:b`],
  ["last of many", `?user_id=@a:b&access_token=${canary}`],
  ["upper case", `?ACCESS_TOKEN=${canary}`],
  ["form encoding", `body was next=%2Fx&access_token=${canary}&y=z`],
  ["percent-encoded", `?next=http%3A%2F%2Fas%2Fping%3Faccess_token%3D${canary}`],
  ["percent-encoded in lower case", `%3faccess_token%3d${canary}`],
  ["percent-encoded twice", `%253Faccess_token%253D${canary}`],
  ["percent-encoded three times", `%25253Faccess_token%25253D${canary}`],
  ["percent-encoded with its underscore", `access%5Ftoken%3D${canary}`],
  ["HTML, named", `?a=b&amp;access_token=${canary}&amp;c=d`],
  ["HTML, decimal", `?a=b&#38;access_token&#61;${canary}`],
  ["HTML, hexadecimal", `?a=b&#x26;access_token&#x3d;${canary}`],
  ["HTML twice", `?a=b&amp;amp;access_token&amp;#61;${canary}`],
  ["HTML of JSON", `{&quot;access_token&quot;:&quot;${canary}&quot;}`],
  ["JSON of Go", `{"error":"?a=b\\u0026access_token\\u003d${canary}"}`],
  ["JSON twice", `"{\\"error\\":\\"?a=b\\\\u0026access_token\\\\u003D${canary}\\"}"`],
  ["percent-encoded HTML", `a%3Db%26amp%3Baccess_token%3D${canary}`],
  ["JSON value", `{"access_token":"${canary}"}`],
  ["JSON value, spaced", `{ "access_token" : "${canary}" }`],
  ["JSON value, escaped", `"{\\"access_token\\":\\"${canary}\\"}"`],
  ["JSON list", `{"access_token":["${canary}"]}`],
  ["Python", `{b'access_token': [b'${canary}']}`],
  ["Go's map", `map[access_token:[${canary}]]`],
  ["Rust's pairs", `[("access_token", "${canary}")]`],
  ["plain", `access_token: ${canary}`],
  ["registration", `{"id":"irc","hs_token":"${canary}","as_token":"${canary}"}`],
  ["registration in a query", `?as_token=${canary}`],
  ["header", `Authorization: Bearer ${canary}`],
  ["header in lower case", `authorization: bearer ${canary}`],
  ["header in upper case", `AUTHORIZATION: BEARER ${canary}`],
  ["header without a scheme", `Authorization: ${canary} was refused`],
  ["header, Basic", `Authorization: Basic ${canary}`],
  ["header, parameters", `Authorization: X-Matrix origin=a.example,key="ed25519:1",sig="${canary}"`],
  ["header, line by line", `POST /ping HTTP/1.1\r\nHost: as\r\nAuthorization: Bearer ${canary}\r\nAccept: */*\r\n`],
  ["header of a proxy", `Proxy-Authorization: Basic ${canary}`],
  ["header in JSON", `{"headers":{"authorization":"Bearer ${canary}"}}`],
  ["header in JSON, a list", `{"headers":{"Authorization":["Bearer ${canary}"]}}`],
  ["header in Python", `Headers({b'Authorization': [b'Bearer ${canary}']})`],
  ["header in Go", `map[Authorization:[Bearer ${canary}]]`],
  ["header in Rust", `{"authorization": "Bearer ${canary}", "host": "as"}`],
  ["header, percent-encoded", `authorization%3A%20Bearer%20${canary}`],
  ["header, form encoding", `authorization=Bearer+${canary}&x=y`],
  ["header in HTML", `<td>Authorization</td><td>Bearer ${canary}</td>`],
  ["header in HTML, entities", `Authorization&#58;&#32;Bearer&#32;${canary}`],
  ["header in JSON of Go", `Authorization\\u003a\\u0020Bearer\\u0020${canary}`],
  ["credentials alone", `unexpected credentials Bearer ${canary}`],
  ["credentials with a colon", `Bearer: ${canary}`],
  ["query of a URL", `Post "http://as/x?key=${canary}": EOF`],
  ["query of an endpoint", `Cannot POST /_matrix/app/v1/ping?secret=${canary}`],
  ["userinfo of a URL", `error sending request for url (http://user:${canary}@as:29318/)`],
  ["cut off", `?access_token=${canary.slice(0, 5)}`]
]

describe("a token that nobody here knows", () => {
  it.each(marked)("D8 is taken out: %s", (_, text) => {
    const scrubbed = Token.scrub(text, [])
    assert.notInclude(scrubbed, canary.slice(0, 5))
    assert.include(scrubbed, "<redacted>")
  })

  it.each(marked)("D8 is taken out of the error that a homeserver answers: %s", (_, text) => {
    const body = JSON.stringify({ errcode: "M_BAD_STATUS", error: text, status: 500, body: text })
    const read = (status: number, body: string) =>
      Answer.decode({ status, headers: { "content-type": text }, body }, { url: new URL("http://h.example"), now: 0 })
    for (
      const result of [
        read(502, body),
        read(502, text),
        read(500, JSON.stringify({ errcode: "M_UNKNOWN", error: text })),
        read(500, JSON.stringify({ errcode: text })),
        read(403, JSON.stringify({ errcode: "M_FORBIDDEN", error: text }))
      ]
    ) {
      assert.deepStrictEqual(leaks(Result.isFailure(result) && result.failure, [canary, canary.slice(0, 5)]), [])
    }
  })

  it("D8 leaves of a text what is no secret", () => {
    const [[, continuwuity] = ["", ""], [, tuwunel] = ["", ""], [, go] = ["", ""]] = marked
    assert.strictEqual(
      Token.scrub(continuwuity, []),
      "Request error: error sending request for url (http://as:29318/_matrix/app/v1/ping?access_token=<redacted>)"
    )
    assert.include(Token.scrub(tuwunel, []), "?access_token=<redacted>\", source: TimedOut }")
    assert.strictEqual(Token.scrub(go, []), "Post \"http://as:29318/_matrix/app/v1/ping?access_token=<redacted>\": EOF")
    assert.strictEqual(
      Token.scrub(`{"headers":{"authorization":"Bearer ${canary}"},"a":"b"}`, []),
      "{\"headers\":{\"authorization\":\"Bearer <redacted>\"},\"a\":\"b\"}"
    )
  })

  it.each(marked)("D8 leaves JSON what it is: %s", (_, text) => {
    const json = JSON.stringify({ errcode: "M_UNKNOWN_TOKEN", error: text, after: "it" })
    const scrubbed: unknown = JSON.parse(Token.scrub(json, []))
    assert.deepInclude(scrubbed, { errcode: "M_UNKNOWN_TOKEN", after: "it" })
  })

  it.each(marked)("D8 changes nothing the second time: %s", (_, text) => {
    const scrubbed = Token.scrub(text, [])
    assert.strictEqual(Token.scrub(scrubbed, []), scrubbed)
  })

  it.each([
    "Missing Authorization header",
    "Mixing Authorization headers and access_token query parameters.",
    "Let the proxy pass the Authorization header on.",
    "the Bearer token is not known",
    "Compare id and as_token with the registration file that the homeserver reads: both must be the same.",
    "as_token: must be a text",
    "WWW-Authenticate: Bearer realm=matrix",
    "see https://matrix.example/docs#access_token for more",
    "100% of it, 50%25, C:\\users\\new, &amp; and &unknown; and %zz"
  ])("leaves a sentence about tokens as it is: %s", (text) => {
    assert.strictEqual(Token.scrub(text, []), text)
  })
})

describe("a token that is known", () => {
  const token = "as/tok+en=\"é\\ <01>&2'3"
  const json = (text: string): string => JSON.stringify(text).slice(1, -1)
  const html = (text: string): string => text.replaceAll(/[&<>"'/=+]/g, (char) => `&#${char.charCodeAt(0)};`)
  const named = (text: string): string =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\"", "&quot;")
      .replaceAll("'", "&#39;")
  const go = (text: string): string =>
    json(text).replaceAll("&", "\\u0026").replaceAll("<", "\\u003c").replaceAll(">", "\\u003e")
  const ascii = (text: string): string =>
    json(text).replaceAll(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)
  const form = (text: string): string => new URLSearchParams({ t: text }).toString().slice(2)
  const base64 = (text: string): string => Buffer.from(text).toString("base64")

  const forms: ReadonlyArray<readonly [encoding: string, text: string]> = [
    ["percent-encoded", encodeURIComponent(token)],
    ["percent-encoded twice", encodeURIComponent(encodeURIComponent(token))],
    ["form encoding", form(token)],
    ["form encoding in lower case", form(token).toLowerCase()],
    ["every byte percent-encoded", Buffer.from(token).toString("hex").replaceAll(/../g, (hex) => `%${hex}`)],
    ["HTML, named", named(token)],
    ["HTML, decimal", html(token)],
    ["HTML twice", named(named(token))],
    ["JSON", json(token)],
    ["JSON twice", json(json(token))],
    ["JSON three times", json(json(json(token)))],
    ["JSON of Go", go(token)],
    ["JSON of Go, twice", json(go(token))],
    ["JSON of Python", ascii(token)],
    ["JSON of HTML", json(named(token))],
    ["HTML of JSON", named(json(token))],
    ["percent-encoded JSON", encodeURIComponent(json(token))],
    ["JSON of percent-encoding", json(encodeURIComponent(token))],
    ["base64", base64(token)],
    ["base64 behind one character", base64(`a${token}`)],
    ["base64 behind two characters", base64(`as${token}`)],
    ["base64 of a user and a password", base64(`user:${token}:more`)],
    ["base64 for URLs", Buffer.from(`x${token}`).toString("base64url")]
  ]

  it.each(forms)("D8 is taken out: %s", (encoding, form) => {
    const scrubbed = Token.scrub(`before ${form} after`, [Redacted.make(token)])
    assert.match(scrubbed, /^before .{0,10}<redacted>.{0,10} after$/, encoding)
    for (let from = 0; from + 12 <= form.length; from++) assert.notInclude(scrubbed, form.slice(from, from + 12))
  })

  it("D8 is taken out where it changed its case on the way", () => {
    const [plain, other] = ["Sesame-Opens-0123", "SESAME-OPENS-0123"]
    assert.strictEqual(Token.scrub(`no ${other}`, [Redacted.make(plain)]), "no <redacted>")
  })
})

describe("a foreign text", () => {
  const read = (options: Partial<Answer.ReadingOptions>) =>
    Answer.decodeError({
      status: 502,
      headers: {},
      body: JSON.stringify({ errcode: "M_BAD_STATUS", status: 500, error: "x".repeat(10_000), body: "😀".repeat(5000) })
    }, { url: new URL("http://h.example"), now: 0, ...options })

  it("is cut to 2048 characters, but no character in two", () => {
    const error = read({})
    assert.strictEqual("error" in error && error.error, "x".repeat(2048))
    assert.strictEqual("body" in error && error.body, "😀".repeat(1024))
    const odd = read({ maxTextLength: 5 })
    assert.strictEqual("body" in odd && odd.body, "😀😀")
  })

  it("is cut to as many characters as the caller says, and no number is no bound", () => {
    const lengthOf = (maxTextLength: number): number => {
      const error = read({ maxTextLength })
      return "error" in error && error.error !== undefined ? error.error.length : -1
    }
    assert.deepStrictEqual([0, 1, 3000].map(lengthOf), [0, 1, 3000])
    assert.deepStrictEqual([Number.NaN, -1, Number.POSITIVE_INFINITY].map(lengthOf), [2048, 2048, 2048])
  })

  it.each([
    ["marks", "access_token="],
    ["headers", "Authorization: "],
    ["bearers", "Bearer "],
    ["URLs", "http://"],
    ["endpoints", "/_matrix/"],
    ["percent signs", "%25"],
    ["backslashes", "\\"],
    ["entities", "&amp;"],
    ["quotes", "\"'"],
    ["half tokens", "0123456"]
  ])("is searched in little time: 64 KiB of %s", (_, piece) => {
    const text = piece.repeat(65_536 / piece.length)
    assert.isBelow(cpuMillis(() => Token.scrub(text, [Redacted.make("0123456789abcdef")])), 900)
  })
})
