/** What homeservers make of a url that they cannot use; the texts of Synapse are those that the real one gave. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { homeserver, memory, ping, short } from "./support/Modes.ts"

const texts: ReadonlyArray<readonly [url: string, error: string]> = [
  ["http://[::1]:29401", "InvalidCodepoint: Codepoint U+003A at position 1 of '::1' not allowed"],
  ["http://mautrix_signal:29328", "InvalidCodepoint: Codepoint U+005F at position 8 of 'mautrix_signal' not allowed"],
  ["http://user:pass@127.0.0.1:29401", "ValueError: invalid hostname: user:@127.0.0.1"],
  ["http://127.0.0.1:", "URLParseError: port must not be empty: '127.0.0.1:'"],
  ["unix:///run/bridge.sock", "SchemeNotSupported: Unsupported scheme: b'unix'"],
  [`http://${"x".repeat(64)}.test`, "IDNAError: Label too long"]
]

describe("a url that cannot be used", () => {
  for (const [url, error] of texts) {
    it.effect(`C11 synapse names what is wrong with ${url.slice(0, 40)}`, () =>
      memory.run(Effect.gen(function*() {
        const ask = yield* homeserver(memory, "synapse", yield* memory.network(), { url })
        const answered = yield* ask(ping())
        assert.strictEqual(short(answered), "502 M_CONNECTION_FAILED")
        const body: unknown = JSON.parse(answered.body)
        assert.deepInclude(body, { error })
      })))
  }

  it.effect("C11 conduit panics, and says nothing at all", () =>
    memory.run(Effect.gen(function*() {
      const ask = yield* homeserver(memory, "conduit", yield* memory.network(), { url: "http://" })
      const answered = yield* ask(ping())
      assert.strictEqual(answered.status, 500)
      assert.strictEqual(answered.body, "")
    })))

  for (
    const [name, expected] of [["tuwunel", "502 M_CONNECTION_FAILED"], ["continuwuity", "500 M_UNKNOWN"]] as const
  ) {
    it.effect(`C11 ${name} answers ${expected}`, () =>
      memory.run(Effect.gen(function*() {
        const ask = yield* homeserver(memory, name, yield* memory.network(), { url: "unix:///run/bridge.sock" })
        assert.strictEqual(short(yield* ask(ping())), expected)
      })))
  }
})
