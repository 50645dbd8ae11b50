// Ports that `fetch` refuses before it sends: https://fetch.spec.whatwg.org/#port-blocking
import { ping } from "@appservice-ping/client/Ping"
import { diagnose } from "@appservice-ping/domain/Diagnosis"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { FetchHttpClient } from "effect/http"
import { registration } from "./support/memory.ts"

const badPorts = [
  1,
  7,
  9,
  11,
  13,
  15,
  17,
  19,
  20,
  21,
  22,
  23,
  25,
  37,
  42,
  43,
  53,
  69,
  77,
  79,
  87,
  95,
  101,
  102,
  103,
  104,
  109,
  110,
  111,
  113,
  115,
  117,
  119,
  123,
  135,
  137,
  139,
  143,
  161,
  179,
  389,
  427,
  465,
  512,
  513,
  514,
  515,
  526,
  530,
  531,
  532,
  540,
  548,
  554,
  556,
  563,
  587,
  601,
  636,
  989,
  990,
  993,
  995,
  1719,
  1720,
  1723,
  2049,
  3659,
  4045,
  4190,
  5060,
  5061,
  6000,
  6566,
  6665,
  6666,
  6667,
  6668,
  6669,
  6679,
  6697,
  10080
]

describe("a port that fetch refuses", () => {
  it.live(`is no homeserver that could have had the ping, and stays so: ${badPorts.length} ports`, () =>
    Effect.gen(function*() {
      for (const port of badPorts) {
        const homeserver = new URL(`http://127.0.0.1:${port}`)
        const error = yield* Effect.flip(ping({ homeserver, registration })).pipe(Effect.provide(FetchHttpClient.layer))
        assert.strictEqual(error._tag, "HomeserverUnreachable", String(port))
        assert.include(error.message, "the HTTP client refuses this port", String(port))
        assert.isFalse(diagnose(error).temporary, String(port))
      }
    }))
})
