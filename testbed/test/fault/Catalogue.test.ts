import * as Catalogue from "@appservice-ping/testbed/fault/Catalogue"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import { answers } from "@appservice-ping/testbed/fault/kind/PeerAnswer"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"

const all = Catalogue.singles({ pingTimeout: "1 second", clientTimeout: "3 seconds" })

describe("Catalogue", () => {
  it("names every fault of a leg differently", () => {
    const names = all.map(({ fault, leg }) => `${leg}: ${Fault.describe(fault)}`)
    assert.deepStrictEqual(names.filter((name, index) => names.indexOf(name) !== index), [])
  })

  it.effect("has only faults that a plan can hold", () =>
    Effect.gen(function*() {
      const encoded = yield* Schema.encodeEffect(Schema.Array(Fault.Fault))(all.map(({ fault }) => fault))
      assert.lengthOf(yield* Schema.decodeUnknownEffect(Schema.Array(Fault.Fault))(encoded), all.length)
    }))

  it("has every type, place and framing on both legs, but no next request where connections are not kept", () => {
    for (const leg of ["to_homeserver", "to_appservice"] as const) {
      const faults = all.filter((single) => single.leg === leg).map(({ fault }) => fault)
      assert.deepStrictEqual(new Set(faults.map(({ type }) => type)), new Set(Fault.types))
      const places = new Set(faults.flatMap((fault) => fault.type === "stall" ? [fault.phase] : []))
      assert.lengthOf([...places], leg === "to_homeserver" ? 8 : 7)
      const framings = new Set(faults.flatMap((fault) => fault.type === "close" ? [fault.framing] : []))
      assert.lengthOf([...framings], 4)
      const cases = faults.flatMap((fault) => fault.type === "peer_answer" ? [answers[fault.answer].leg] : [])
      assert.deepStrictEqual(new Set(cases), new Set([leg]))
    }
  })
})
