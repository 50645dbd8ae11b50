// D8: a secret is taken out of a text however it was encoded on its way, and also where that happened twice.
import * as Token from "@appservice-ping/domain/Token"
import { assert, describe, it } from "@effect/vitest"
import { Redacted, Schema } from "effect"
import { cpuMillis } from "./support/cpu.ts"
import { encodings, reads } from "./support/encodings.ts"

/** So much of a secret helps nobody who reads it. */
const window = 8

const pieces = (secret: string): ReadonlyArray<string> =>
  Array.from({ length: secret.length - window + 1 }, (_, from) => secret.slice(from, from + window))

const survives = (text: string, secret: string): boolean =>
  reads(text).some((read) => pieces(secret).some((piece) => read.includes(piece)))

const names = Object.keys(encodings)

const pairs = names.flatMap((inner) => names.map((outer) => [inner, outer] as const))

const encode = (inner: string, outer: string, text: string): string =>
  (encodings[outer] ?? String)((encodings[inner] ?? String)(text))

const canary = "c4n4ry_0f-s0meb0dy.else"
const token = "as/tok+en=\"é\\ <01>&2'3"

describe("the reader of these tests", () => {
  it.each(pairs)("finds what was encoded as %s and then as %s, so that it would see a leak", (inner, outer) => {
    for (const secret of [canary, token]) {
      assert.isTrue(survives(`before ${encode(inner, outer, `a ${secret} b`)} after`, secret), secret)
    }
  })
})

describe("a secret in any encoding of any encoding", () => {
  it.each(pairs)("D8 is taken out where it is known: %s, then %s", (inner, outer) => {
    for (const around of [["", ""], ["Bearer ", ""], ["user:", ""], ["a", "b"], ["as", ":more"]] as const) {
      for (const secret of [canary, token]) {
        const scrubbed = Token.scrub(
          `before ${encode(inner, outer, around.join(secret))} after`,
          [Redacted.make(secret)]
        )
        assert.isFalse(survives(scrubbed, secret), scrubbed)
        assert.match(scrubbed, /^before .*<redacted>.* after$/)
      }
    }
  })

  it.each(pairs)("D8 is taken out where nobody here knows it: %s, then %s", (inner, outer) => {
    for (
      const marked of [
        `http://as:29318/_matrix/app/v1/ping?access_token=${canary}`,
        `?user_id=@a:b&access_token=${canary}&x=y`,
        `Authorization: Bearer ${canary}`,
        `{"access_token":"${canary}"}`,
        `POST /_matrix/app/v1/ping?key=${canary}`
      ]
    ) {
      const scrubbed = Token.scrub(`before ${encode(inner, outer, marked)} after`, [])
      assert.isFalse(survives(scrubbed, canary), scrubbed)
      assert.match(scrubbed, /^before .*<redacted>.* after$/s)
    }
  })

  it.each(pairs)("leaves what is no secret as it is: %s, then %s", (inner, outer) => {
    for (
      const innocent of [
        "The appservice \"irc\" at http://as:29318/ answered 502 <Bad Gateway> & closed: 100% of it",
        "Missing Authorization header, or the token of another appservice"
      ]
    ) {
      const text = `before ${encode(inner, outer, innocent)} after`
      assert.strictEqual(Token.scrub(text, [Redacted.make(canary)]), text)
    }
  })

  it.prop(
    "D8 is taken out whatever stands around it",
    [Schema.String, Schema.Literals(names), Schema.Literals(names), Schema.String],
    ([before, inner, outer, after]) => {
      const text = `${before} ${encode(inner, outer, `?access_token=${canary}`)} ${after}`
      assert.isFalse(survives(Token.scrub(text, []), canary))
    }
  )

  it.prop("leaves any text without a mark as it is", [Schema.String], ([text]) => {
    const innocent = text.replaceAll(/[=:?@]/g, "")
    assert.strictEqual(Token.scrub(innocent, [Redacted.make(canary)]), innocent)
  })
})

describe("the time to search a text", () => {
  it.each([
    "access_token=",
    "Authorization: ",
    "Bearer ",
    "http://",
    "https://a@b",
    "/_matrix/",
    "?",
    "%25",
    "%3D",
    "\\",
    "\\u0026",
    "&amp;",
    "\"'",
    "0123456",
    "YWNjZXNzX3Rva2Vu",
    "a"
  ])("grows no faster than the text does: %s", (piece) => {
    const tokens = [Redacted.make("0123456789abcdef")]
    const millis = (length: number): number => {
      const text = piece.repeat(length / piece.length)
      return cpuMillis(() => Token.scrub(text, tokens))
    }
    millis(2 ** 16)
    // What is quadratic takes minutes.
    assert.isBelow(millis(2 ** 20), 1500)
  })
})
