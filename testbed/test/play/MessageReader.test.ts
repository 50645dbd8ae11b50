import { assert, describe, it } from "@effect/vitest"
import { keepsAlive, MessageReader } from "../../src/play/MessageReader.ts"

type Kind = "request" | "answer"

const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1")

interface Result {
  readonly state: string
  readonly used: number
  readonly headLength: number
  readonly body: string
  readonly start: string
}

/** Reads the pieces one after the other, until the message is over. */
const read = (kind: Kind, pieces: ReadonlyArray<string>, method = "GET"): Result => {
  const reader = new MessageReader(kind, { method, maxHeadBytes: 1000, maxBodyBytes: 1000 })
  let used = 0
  for (const piece of pieces) {
    const taken = reader.feed(bytesOf(piece))
    used += taken
    if (taken < piece.length) break
  }
  const { head } = reader
  return {
    state: reader.state,
    used,
    headLength: reader.headLength,
    body: Buffer.concat(reader.body).toString("latin1"),
    start: head === undefined ? "" : `${head.method}${head.target}${head.status || ""} ${head.version}`
  }
}

interface Case {
  readonly name: string
  readonly kind: Kind
  readonly method?: string
  readonly text: string
  /** What comes behind the message on the same connection. */
  readonly next?: string
  readonly state: string
  readonly body: string
}

const cases: ReadonlyArray<Case> = [
  {
    name: "a request without a body",
    kind: "request",
    text: "GET / HTTP/1.1\r\nA: b\r\n\r\n",
    state: "done",
    body: ""
  },
  {
    name: "a request with a length, and the next one behind it",
    kind: "request",
    text: "POST /x?y HTTP/1.1\r\ncontent-LENGTH: 5\r\n\r\nhello",
    next: "GET / HTTP/1.1\r\n\r\n",
    state: "done",
    body: "hello"
  },
  {
    name: "a request in chunks with an extension and a trailer",
    kind: "request",
    text: "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nT: x\r\n\r\n",
    next: "GET",
    state: "done",
    body: "hello!"
  },
  {
    name: "an empty line before a request",
    kind: "request",
    text: "\r\n\r\nGET / HTTP/1.0\n\n",
    next: "GET",
    state: "done",
    body: ""
  },
  {
    name: "an answer behind informational ones",
    kind: "answer",
    text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    next: "more",
    state: "done",
    body: "{}"
  },
  { name: "an answer until the end", kind: "answer", text: "HTTP/1.1 200 OK\r\n\r\n", state: "until-close", body: "" },
  {
    name: "an answer to HEAD",
    kind: "answer",
    method: "HEAD",
    text: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
    next: "HTTP",
    state: "done",
    body: ""
  },
  {
    name: "204",
    kind: "answer",
    text: "HTTP/1.1 204 \r\nContent-Length: 9\r\n\r\n",
    next: "x",
    state: "done",
    body: ""
  },
  { name: "an upgrade", kind: "answer", text: "HTTP/1.1 101 X\r\nUpgrade: y\r\n\r\n", state: "upgrade", body: "" },
  {
    name: "a tunnel",
    kind: "answer",
    method: "CONNECT",
    text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
    state: "upgrade",
    body: ""
  },
  {
    name: "the same length twice",
    kind: "answer",
    text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    state: "done",
    body: "{}"
  }
]

describe("MessageReader", () => {
  for (const { body, kind, method, name, next = "", state, text } of cases) {
    it(`${name}: wherever the bytes are split, it ends at the same place`, () => {
      const whole = read(kind, [text + next], method)
      assert.strictEqual(whole.state, state)
      assert.strictEqual(whole.body, body)
      if (state === "done") assert.strictEqual(whole.used, text.length)
      assert.deepStrictEqual(read(kind, [...text, ...next], method), whole)
      for (let at = 1; at < text.length; at++) {
        assert.deepStrictEqual(read(kind, [text.slice(0, at), text.slice(at) + next], method), whole, `at ${at}`)
      }
    })
  }

  it("cannot read what is no request, contradicts itself, or has too long a head", () => {
    const unreadable = [
      "\u0016\u0003\u0001",
      "EHLO there\r\n",
      "GET / HTTP/2.0\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
      `GET / HTTP/1.1\r\nA: ${"x".repeat(1000)}\r\n\r\n`,
      `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;${"x".repeat(5000)}`
    ]
    for (const text of unreadable) assert.strictEqual(read("request", [text]).state, "unreadable", text.slice(0, 60))
    assert.strictEqual(read("answer", ["SSH-2.0"]).state, "unreadable")
    assert.strictEqual(read("answer", ["HTTP/1.1 twohundred\r\n\r\n"]).state, "unreadable")
    assert.strictEqual(read("answer", ["HTTP/1.1 "]).state, "head")
  })

  it("knows which messages let their connection stay open", () => {
    const keeps = (version: string, connection: string): boolean | undefined => {
      const reader = new MessageReader("request", { maxHeadBytes: 1000, maxBodyBytes: 0 })
      reader.feed(bytesOf(`GET / HTTP/${version}\r\n${connection}\r\n\r\n`))
      return reader.head === undefined ? undefined : keepsAlive(reader.head)
    }
    assert.strictEqual(keeps("1.1", "A: b"), true)
    assert.strictEqual(keeps("1.1", "Connection: Upgrade, CLOSE"), false)
    assert.strictEqual(keeps("1.0", "A: b"), false)
    assert.strictEqual(keeps("1.0", "Connection: Keep-Alive"), true)
  })
})
