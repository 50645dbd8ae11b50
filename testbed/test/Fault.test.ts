import * as Catalogue from "@appservice-ping/testbed/Catalogue"
import * as Fault from "@appservice-ping/testbed/Fault"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Result, Schema } from "effect"

const decode = Schema.decodeUnknownResult(Fault.Fault)
const encode = Schema.encodeSync(Fault.Fault)

describe("Fault", () => {
  it("is plain data on the wire, with times in milliseconds", () => {
    assert.deepStrictEqual(encode(Fault.latency("150 millis")), { _tag: "latency", delay: 150 })
    assert.deepStrictEqual(encode(Fault.status(429, { headers: { "Retry-After": "5" } })), {
      _tag: "status",
      status: 429,
      headers: { "Retry-After": "5" },
      body: ""
    })
    assert.deepStrictEqual(encode(Fault.refused), { _tag: "refused" })
    assert.deepStrictEqual(encode(Fault.resetPeer({ at: "in-body" })), {
      _tag: "cut",
      how: "rst",
      at: "in-body",
      framing: "content-length"
    })
    assert.deepStrictEqual(encode(Fault.close({ at: "in-body", framing: "chunked" })), {
      _tag: "cut",
      how: "fin",
      at: "in-body",
      framing: "chunked"
    })
    assert.deepStrictEqual(encode(Fault.stall({ at: "before-headers" })), {
      _tag: "stall",
      at: "before-headers",
      framing: "content-length"
    })
    assert.deepStrictEqual(encode(Fault.drip({ gap: "1 second" })), {
      _tag: "drip",
      gap: 1000,
      status: 200,
      body: "{}"
    })
    assert.deepStrictEqual(encode(Fault.malformed), { _tag: "malformed" })
  })

  it.effect.prop("comes back from its wire form as it was", [Fault.Fault], ([fault]) =>
    Effect.sync(() => {
      const again = Result.getOrThrow(decode(JSON.parse(JSON.stringify(encode(fault)))))
      assert.deepStrictEqual(encode(again), encode(fault))
    }))

  it("refuses what no answer can carry", () => {
    const status = { _tag: "status", status: 200, headers: {}, body: "" }
    assert.isTrue(Result.isSuccess(decode(status)))
    assert.isTrue(Result.isFailure(decode({ ...status, status: 199 })))
    assert.isTrue(Result.isFailure(decode({ ...status, status: 600 })))
    assert.isTrue(Result.isFailure(decode({ ...status, headers: { "X-A": "1\r\nX-B: 2" } })))
    assert.isTrue(Result.isFailure(decode({ ...status, headers: { "X-A: 1\r\nX-B": "2" } })))
    assert.isTrue(Result.isFailure(decode({ ...status, headers: { "content-length": "3" } })))
    assert.isTrue(Result.isFailure(decode({ ...status, headers: { "Transfer-Encoding": "chunked" } })))
    assert.isTrue(Result.isFailure(decode({ ...status, body: "\ud800" })))
  })

  it("refuses unknown faults and times that no clock can wait for", () => {
    assert.isTrue(Result.isFailure(decode({ _tag: "lightning" })))
    assert.isTrue(Result.isSuccess(decode({ _tag: "latency", delay: 0 })))
    assert.isTrue(Result.isFailure(decode({ _tag: "latency", delay: -1 })))
    assert.isTrue(Result.isFailure(decode({ _tag: "latency", delay: Infinity })))
    assert.isTrue(Result.isFailure(decode({ _tag: "latency", delay: Number.NaN })))
    assert.throws(() => Fault.latency(Duration.infinity))
    assert.throws(() => Fault.latency("-1 seconds"))
  })

  it("offers no cut of a body that ends with its connection, because nobody can tell it from the whole", () => {
    assert.isTrue(Result.isFailure(decode({ _tag: "cut", how: "fin", at: "in-body", framing: "close" })))
  })

  it("has another name for each fault of the catalogue", () => {
    const names = Catalogue.all("1 second").map(Fault.describe)
    assert.strictEqual(new Set(names).size, names.length)
    assert.include(names, "reset in the body, chunked")
    assert.include(names, "closed before the headers")
    assert.include(names, "latency of 100ms")
    assert.include(names, "status 200 dripping, 1ms a byte")
  })

  it("is in the catalogue with every kind, at every place and in every framing", () => {
    const all = Catalogue.all("1 second")
    assert.deepStrictEqual(
      new Set(all.map((fault) => fault._tag)),
      new Set(Object.keys(Fault.Fault.cases))
    )
    for (const how of ["rst", "fin"] as const) {
      for (const at of Fault.Place.literals) {
        assert.isTrue(all.some((fault) => fault._tag === "cut" && fault.how === how && fault.at === at), `${how} ${at}`)
      }
    }
    for (const at of Fault.Place.literals) {
      assert.isTrue(all.some((fault) => fault._tag === "stall" && fault.at === at), at)
    }
  })
})
