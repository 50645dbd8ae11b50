import * as Token from "@appservice-ping/domain/Token"
import { assert, describe, it, vi } from "@effect/vitest"
import { Redacted, Schema } from "effect"
import { leaks } from "./support/canary.ts"

const make = (token: string): Redacted.Redacted => Redacted.make(token)

const valueOf = (token: Redacted.Redacted | undefined): string | undefined =>
  token === undefined ? undefined : Redacted.value(token)

describe("Token.equals", () => {
  it.each([
    ["secret", "secret", true],
    ["", "", true],
    ["üñí😀", "üñí😀", true],
    ["secret", "Secret", false],
    ["secret", "secres", false],
    ["secret", "tecret", false],
    ["secret", "", false],
    ["", "secret", false],
    ["secret", "secret\0", false],
    ["secret\0", "secret", false],
    ["secret", "secretsecret", false],
    ["secretsecret", "secret", false],
    ["é", "e\u0301", false]
  ])("compares %j with %j: %s", (a, b, equal) => {
    assert.strictEqual(Token.equals(make(a), make(b)), equal)
  })

  it.prop("agrees with === on well-formed text", [Schema.String, Schema.String], ([a, b]) => {
    const [one, other] = [a.toWellFormed(), b.toWellFormed()]
    assert.strictEqual(Token.equals(make(one), make(other)), one === other)
    assert.isTrue(Token.equals(make(one), make(one)))
    assert.isFalse(Token.equals(make(one), make(`${one}x`)))
  })

  it("looks at every byte: it never stops at the first difference", () => {
    const reads: Array<number> = []
    const spied = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
      new Proxy(bytes, {
        get: (target, key) => {
          if (typeof key === "string" && /^\d+$/.test(key)) reads.push(Number(key))
          const value: unknown = Reflect.get(target, key, target)
          return value
        }
      })
    const encode = vi.spyOn(TextEncoder.prototype, "encode").mockImplementation((text = "") =>
      spied(Uint8Array.from(Buffer.from(text)))
    )
    try {
      assert.isFalse(Token.equals(make("Xbcdefgh"), make("abcd")))
    } finally {
      encode.mockRestore()
    }
    assert.deepStrictEqual(reads, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7])
  })
})

describe("Token.fromAuthorization", () => {
  it.each([
    ["Bearer abc", "abc"],
    ["bearer abc", "abc"],
    ["BEARER abc", "abc"],
    ["bEaReR abc", "abc"],
    ["Bearer    abc", "abc"],
    ["  Bearer abc  ", "abc"],
    ["Bearer a.b-c_d~e+f/g==", "a.b-c_d~e+f/g=="],
    ["Bearer Bearer", "Bearer"]
  ])("C1 reads %j", (header, token) => {
    assert.strictEqual(valueOf(Token.fromAuthorization(header)), token)
  })

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Bearer    ",
    "Bearerabc",
    "Basic abc",
    "abc",
    "Token abc",
    "X Bearer abc"
  ])(
    "C2 finds no token in %j",
    (header) => {
      assert.isUndefined(Token.fromAuthorization(header))
    }
  )

  it("reads a long header in linear time", () => {
    assert.isUndefined(Token.fromAuthorization(`Bearer${" ".repeat(1_000_000)}`))
    assert.strictEqual(valueOf(Token.fromAuthorization(`Bearer${" ".repeat(1_000_000)}x`)), "x")
  })

  it("D8 hides the token from every way of printing", () => {
    assert.deepStrictEqual(leaks(Token.fromAuthorization("Bearer canary-token"), ["canary-token"]), [])
  })
})

describe("Token.fromQuery", () => {
  it("C1 reads every access_token, percent-decoded", () => {
    const query = new URLSearchParams("access_token=a%2Bb&user_id=@x:y&access_token=c")
    assert.deepStrictEqual(Token.fromQuery(query).map(valueOf), ["a+b", "c"])
  })

  it("C2 counts neither an empty one nor another parameter", () => {
    assert.deepStrictEqual(Token.fromQuery(new URLSearchParams("access_token=&token=x&ACCESS_TOKEN=y")), [])
  })

  it("D8 hides the tokens from every way of printing", () => {
    assert.deepStrictEqual(
      leaks(Token.fromQuery(new URLSearchParams("access_token=canary-token")), ["canary-token"]),
      []
    )
  })
})

describe("Token.scrub", () => {
  const token = "as/tok+en=\"\\é01234"
  const scrub = (text: string): string => Token.scrub(text, [make(token)])

  it.each([
    ["plain", token],
    ["percent-encoded", encodeURIComponent(token)],
    ["percent-encoded in lower case", encodeURIComponent(token).replaceAll(/%../g, (hex) => hex.toLowerCase())],
    ["JSON-escaped", JSON.stringify(token).slice(1, -1)],
    ["JSON-escaped with escaped slashes", JSON.stringify(token).slice(1, -1).replaceAll("/", "\\/")]
  ])("D8 takes out a token: %s", (_, form) => {
    assert.strictEqual(scrub(`before ${form} between ${form}`), "before <redacted> between <redacted>")
  })

  it.each([
    ["plain", token],
    ["percent-encoded", encodeURIComponent(token)],
    ["JSON-escaped", JSON.stringify(token).slice(1, -1)]
  ])("D8 takes out a token that the end of the text cuts off: %s", (_, form) => {
    for (let length = 8; length < form.length; length++) {
      assert.strictEqual(scrub(`before ${form.slice(0, length)}`), "before <redacted>", `cut after ${length}`)
    }
  })

  it("D8 takes out the longer of two tokens that start alike", () => {
    const short = make("12345678")
    const long = make("1234567890abcdef")
    for (const tokens of [[short, long], [long, short]]) {
      assert.strictEqual(Token.scrub("a 1234567890abcdef b 12345678 c", tokens), "a <redacted> b <redacted> c")
    }
  })

  it("leaves a text without the token as it is", () => {
    const text = "as/tok+en is not it, nor is as/tok in the middle"
    assert.strictEqual(scrub(text), text)
    assert.strictEqual(Token.scrub(text, []), text)
  })

  it("leaves alone a token that is too short to be a secret", () => {
    assert.strictEqual(Token.scrub("the 1234567 of it", [make("1234567")]), "the 1234567 of it")
    assert.strictEqual(Token.scrub("the 12345678 of it", [make("12345678")]), "the <redacted> of it")
    assert.strictEqual(Token.scrub("text", [make("")]), "text")
  })

  it("takes a token with a lone surrogate, which cannot be percent-encoded", () => {
    assert.strictEqual(Token.scrub("a \ud800abcdefgh b", [make("\ud800abcdefgh")]), "a <redacted> b")
  })

  it.prop(
    "D8 no text still holds the token",
    [Schema.String, Schema.String, Schema.String],
    ([before, middle, after]) => {
      const secret = `${middle}0123456789`
      const scrubbed = Token.scrub(`${before}${secret}${after}`, [make(secret)])
      assert.notInclude(scrubbed, secret)
      assert.notInclude(scrubbed, "0123456789")
    }
  )
})
