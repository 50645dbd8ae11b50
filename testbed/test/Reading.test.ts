import * as Catalogue from "@appservice-ping/testbed/Catalogue"
import { Event, timeline } from "@appservice-ping/testbed/Reading"
import { decide, Step } from "@appservice-ping/testbed/Verdict"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Schema } from "effect"

const encoder = new TextEncoder()
const write = (text: string): Step => Step.Write({ bytes: encoder.encode(text) })
const fin = Step.Close({ how: "fin" })
const rst = Step.Close({ how: "rst" })

/** Events with bodies joined and as text, so that it does not matter in which pieces they came. */
const read = (...steps: ReadonlyArray<Step>): ReadonlyArray<unknown> => {
  const events: Array<unknown> = []
  let body = ""
  const flush = (): void => {
    if (body !== "") events.push(body)
    body = ""
  }
  for (const { event } of timeline(steps)) {
    if (event._tag === "Body") body += new TextDecoder("latin1").decode(event.bytes)
    else {
      flush()
      events.push(event)
    }
  }
  flush()
  return events
}

const head = (status: number, headers: { readonly [name: string]: string } = {}) => Event.Head({ status, headers })
const failure = (defect: "closed" | "reset" | "malformed") => Event.Failure({ defect })
const end = Event.End()

describe("Reading", () => {
  it("ends a body where its Content-Length says, whatever comes after", () => {
    const text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}garbage"
    assert.deepStrictEqual(read(write(text), fin), [head(200, { "content-length": "2" }), "{}", end])
    assert.deepStrictEqual(read(write(text), rst), [head(200, { "content-length": "2" }), "{}", end])
  })

  it("ends a chunked body with its last chunk", () => {
    const text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0A\r\n0123456789\r\n0\r\n\r\n"
    assert.deepStrictEqual(read(write(text), fin), [head(200, { "transfer-encoding": "chunked" }), "{}0123456789", end])
  })

  it("ends a body without a length when the connection ends, and cannot tell a cut from it", () => {
    assert.deepStrictEqual(read(write("HTTP/1.1 200 OK\r\n\r\nhal"), fin), [head(200), "hal", end])
    assert.deepStrictEqual(read(write("HTTP/1.1 200 OK\r\n\r\nhal"), rst), [head(200), "hal", failure("reset")])
  })

  it("knows the answers that have no body", () => {
    assert.deepStrictEqual(read(write("HTTP/1.1 204 No Content\r\n\r\n"), fin), [head(204), end])
    assert.deepStrictEqual(read(write("HTTP/1.1 304 Not Modified\r\n\r\n"), fin), [head(304), end])
    assert.deepStrictEqual(read(write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), fin), [
      head(200, { "content-length": "0" }),
      end
    ])
  })

  it("fails where the connection ends too early", () => {
    assert.deepStrictEqual(read(fin), [failure("closed")])
    assert.deepStrictEqual(read(rst), [failure("reset")])
    assert.deepStrictEqual(read(write("HTTP/1.1 200 OK\r\nContent-"), fin), [failure("closed")])
    const length = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
    assert.deepStrictEqual(read(write(`${length}{}`), fin), [
      head(200, { "content-length": "3" }),
      "{}",
      failure("closed")
    ])
    const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for (const cut of ["", "2", "2\r\n", "2\r\n{", "2\r\n{}", "2\r\n{}\r\n", "2\r\n{}\r\n0", "2\r\n{}\r\n0\r"]) {
      assert.deepStrictEqual(read(write(chunked + cut), fin).at(-1), failure("closed"), JSON.stringify(cut))
    }
  })

  it("never ends an answer that stalls", () => {
    assert.deepStrictEqual(read(Step.Hang()), [])
    assert.deepStrictEqual(read(write("HTTP/1.1 200 OK\r\n\r\nhal"), Step.Hang()), [head(200), "hal"])
  })

  it("fails at the first byte that is not HTTP, before the connection ends", () => {
    assert.deepStrictEqual(read(write("S"), Step.Hang()), [failure("malformed")])
    assert.deepStrictEqual(read(write("HTTP/1.1 abc\r\n\r\n"), Step.Hang()), [failure("malformed")])
  })

  it("adds up the time that passes before an event", () => {
    const wait = Step.Wait({ duration: Duration.millis(10) })
    const steps = [
      wait,
      write("HTTP/1.1 200 OK\r\n"),
      wait,
      write("Content-Length: 1\r\n\r\n"),
      wait,
      wait,
      write("x"),
      fin
    ]
    assert.deepStrictEqual(timeline(steps).map(({ after }) => Duration.toMillis(after)), [20, 20, 0])
  })

  it.effect.prop(
    "reads an answer the same in whatever pieces it comes",
    [Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 })))],
    ([sizes]) =>
      Effect.sync(() => {
        for (const fault of Catalogue.all("1 second")) {
          const verdict = decide(fault)
          if (verdict._tag !== "Play") continue
          const pieces = verdict.steps.flatMap((step): ReadonlyArray<Step> => {
            if (step._tag !== "Write") return [step]
            let rest = step.bytes
            const cut = sizes.map((size) => {
              const piece = rest.subarray(0, size)
              rest = rest.subarray(size)
              return Step.Write({ bytes: piece })
            })
            return [...cut, Step.Write({ bytes: rest })]
          })
          assert.deepStrictEqual(read(...pieces), read(...verdict.steps))
        }
      })
  )
})
