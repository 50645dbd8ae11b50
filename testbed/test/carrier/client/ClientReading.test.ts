import * as ClientReading from "@appservice-ping/testbed/carrier/client/ClientReading"
import { assert, describe, it } from "@effect/vitest"
import { Bytes, Effect, Schema } from "effect"

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

interface Seen {
  readonly informational: number
  readonly status: number | undefined
  readonly headers: ReadonlyArray<readonly [string, string]> | undefined
  readonly body: string
  readonly end: string
}

/** What a client sees of an answer, with its body in one piece. */
const seen = (events: ReadonlyArray<ClientReading.Event>): Seen => {
  const head = events.find((event) => event._tag === "Head")
  const failure = events.find((event) => event._tag === "Failure")?.defect
  return {
    informational: events.filter((event) => event._tag === "Informational").length,
    status: head?.status,
    headers: head?.headers,
    body: new TextDecoder("latin1").decode(
      Bytes.concat(events.flatMap((event) => event._tag === "Body" ? [event.bytes] : []))
    ),
    end: failure === undefined
      ? events.some((event) => event._tag === "End") ? "end" : "open"
      : failure._tag === "Malformed"
      ? `${failure.code}: ${failure.reason}`
      : failure._tag
  }
}

type End = "fin" | "rst" | "open"

const read = (
  text: string | ReadonlyArray<string>,
  end: End,
  options: ClientReading.ReadingOptions = { flavour: "node" }
) => {
  const reading = ClientReading.make(options)
  const events = (typeof text === "string" ? [text] : text).flatMap((piece) => reading.write(latin1(piece)))
  return { reading, ...seen([...events, ...end === "open" ? [] : reading.close(end)]) }
}

const ok = "HTTP/1.1 200 OK\r\n"
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`

/** Answer, how the connection ended, what `node:http` makes of it, and undici where that is something else. */
const table: ReadonlyArray<readonly [name: string, text: string, end: End, node: string, undici?: string]> = [
  ["a length", `${ok}Content-Length: 2\r\n\r\n{}`, "open", "200 {} end"],
  ["a length of 0", `${ok}Content-Length: 0\r\n\r\n`, "open", "200  end"],
  ["chunks", `${chunked}2\r\n{}\r\n0\r\n\r\n`, "open", "200 {} end"],
  ["chunks with extensions and trailers", `${chunked}2;a="b;c"\r\n{}\r\n0\r\nX: y\r\n\r\n`, "open", "200 {} end"],
  ["a body until the close", `${ok}\r\n{}`, "fin", "200 {} end"],
  ["a body until a reset", `${ok}\r\n{}`, "rst", "200 {} end"],
  ["no end", `${ok}\r\n{}`, "open", "200 {} open"],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", "fin", "200 {} end"],
  ["no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", "open", "200 {} end"],
  ["204 with a body", "HTTP/1.1 204 \r\nContent-Length: 2\r\n\r\n{}", "fin", "204  end"],
  ["304 with a body", "HTTP/1.1 304 \r\nContent-Length: 2\r\n\r\n{}", "fin", "304  end"],
  ["line breaks first", `\r\n${ok}Content-Length: 2\r\n\r\n{}`, "open", "200 {} end"],
  ["bytes after the body", `${ok}Content-Length: 2\r\n\r\n{}more`, "fin", "200 {} end"],
  ["102 first", `HTTP/1.1 102 \r\n\r\n${ok}Content-Length: 2\r\n\r\n{}`, "open", "200 {} end"],
  ["100 first", `HTTP/1.1 100 \r\n\r\n${ok}Content-Length: 2\r\n\r\n{}`, "open", "200 {} end", "BadResponse"],
  ["101", "HTTP/1.1 101 \r\n\r\n", "open", "101  end", "BadUpgrade"],
  ["nothing", "", "fin", "Closed"],
  ["nothing", "", "rst", "Reset"],
  ["half a head", "HTTP/1.1 200 OK\r\nContent-Ty", "fin", "Closed"],
  ["half a head", "HTTP/1.1 200 OK\r\nContent-Ty", "rst", "Reset"],
  ["half a body", `${ok}Content-Length: 9\r\n\r\n{}`, "fin", "200 {} Closed"],
  ["half a body", `${ok}Content-Length: 9\r\n\r\n{}`, "rst", "200 {} Reset"],
  [
    "half a last body",
    `${ok}Connection: close\r\nContent-Length: 9\r\n\r\n{}`,
    "rst",
    "200 {} Reset",
    "200 {} LengthMismatch"
  ],
  ["half of the chunks", `${chunked}2\r\n{}\r\n`, "fin", "200 {} Closed"],
  [
    "half of the last chunks",
    `${ok}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n`,
    "fin",
    "200 {} Closed",
    "200 {} InvalidEnd"
  ],
  [
    "a length and chunks",
    `${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`,
    "fin",
    "HPE_INVALID_TRANSFER_ENCODING: Transfer-Encoding can't be present with Content-Length",
    "LengthMismatch"
  ],
  [
    "chunks and a length",
    `${ok}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n`,
    "fin",
    "HPE_INVALID_CONTENT_LENGTH: Content-Length can't be present with Transfer-Encoding"
  ],
  [
    "two lengths",
    `${ok}Content-Length: 2\r\ncontent-length: 2\r\n\r\n{}`,
    "fin",
    "HPE_UNEXPECTED_CONTENT_LENGTH: Duplicate Content-Length",
    "LengthMismatch"
  ],
  [
    "a negative length",
    `${ok}Content-Length: -1\r\n\r\n{}`,
    "fin",
    "HPE_INVALID_CONTENT_LENGTH: Invalid character in Content-Length"
  ],
  [
    "a length that is too large",
    `${ok}Content-Length: 99999999999999999999\r\n\r\n`,
    "fin",
    "HPE_INVALID_CONTENT_LENGTH: Content-Length overflow",
    "LengthMismatch"
  ],
  [
    "a bad chunk size",
    `${chunked}zz\r\n{}\r\n`,
    "fin",
    "200  HPE_INVALID_CHUNK_SIZE: Invalid character in chunk size"
  ],
  [
    "a chunk without its end",
    `${chunked}2\r\n{}x`,
    "fin",
    "200 {} HPE_STRICT: Expected LF after chunk data"
  ],
  ["not HTTP", "SSH-2.0-OpenSSH\r\n", "open", "HPE_INVALID_CONSTANT: Expected HTTP/, RTSP/ or ICE/"],
  ["an HTTP/2 frame", "\0\0\0\x04\0\0\0\0\0", "open", "HPE_INVALID_CONSTANT: Expected HTTP/, RTSP/ or ICE/"],
  ["a bad status", "HTTP/1.1 two OK\r\n", "open", "HPE_INVALID_STATUS: Invalid status code"],
  ["a bad version", "HTTP/1.2 200 OK\r\n", "open", "HPE_INVALID_VERSION: Invalid HTTP version"],
  ["LF alone", "HTTP/1.1 200 OK\n", "open", "HPE_CR_EXPECTED: Missing expected CR after response line"],
  ["a bad header", `${ok}Bad Header: a\r\n`, "open", "HPE_INVALID_HEADER_TOKEN: Invalid header token"],
  ["a bad value", `${ok}A: b\x01\r\n`, "open", "HPE_INVALID_HEADER_TOKEN: Invalid header value char"],
  [
    "a folded header",
    `${ok}A: b\r\n c\r\n`,
    "open",
    "HPE_INVALID_HEADER_TOKEN: Unexpected whitespace after header value"
  ]
]

const shown = ({ body, end, status }: Seen): string => status === undefined ? end : `${status} ${body} ${end}`

describe("ClientReading", () => {
  for (const [name, text, end, node, undici = node] of table) {
    it(`${name}, ${end}: is what node:http and undici make of it`, () => {
      assert.strictEqual(shown(read(text, end)), node)
      assert.strictEqual(shown(read(text, end, { flavour: "undici" })), undici)
      assert.strictEqual(shown(read(text, end, { flavour: "fetch" })), undici)
    })
  }

  it.effect.prop(
    "sees the same however the bytes are cut",
    [
      Schema.Literals(table.map((_, index) => index)),
      Schema.Array(Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 200 })))),
      Schema.Literals(["node", "undici", "fetch", "transport"])
    ],
    ([index, cuts, flavour]) =>
      Effect.sync(() => {
        const row = table[index]
        if (row === undefined) return assert.fail("no such row")
        const [, text, end] = row
        const edges = [0, ...cuts.filter((cut) => cut < text.length).toSorted((a, b) => a - b), text.length]
        const pieces = edges.slice(1).map((edge, i) => text.slice(edges[i], edge))
        const { reading: _, ...whole } = read(text, end, { flavour })
        const { reading: __, ...cut } = read(pieces, end, { flavour })
        assert.deepStrictEqual(cut, whole)
      })
  )

  it("tells a cut from the end of a body only to the transport", () => {
    assert.strictEqual(read(`${ok}\r\n{}`, "rst", { flavour: "transport" }).end, "Reset")
    assert.strictEqual(read(`${ok}\r\n{}`, "fin", { flavour: "transport" }).end, "end")
  })

  it("counts the names and values of a head, and refuses it at the limit, as node:http does", () => {
    const head = (length: number) => `${ok}X: ${"x".repeat(length)}\r\n\r\n`
    const options = { flavour: "node", maxHeaderBytes: 100 } as const
    // OK and X are 3 bytes.
    assert.strictEqual(read(head(96), "fin", options).end, "end")
    assert.strictEqual(read(head(97), "fin", options).end, "HeaderOverflow")
    assert.strictEqual(read(head(98), "fin", { ...options, flavour: "undici" }).end, "end")
    assert.strictEqual(read(head(99), "fin", { ...options, flavour: "undici" }).end, "HeaderOverflow")
    assert.strictEqual(read(head(16 * 1024), "fin").end, "HeaderOverflow")
  })

  it("takes any number of informational answers, and the transport only so many", () => {
    const answers = (count: number) => "HTTP/1.1 103 \r\n\r\n".repeat(count) + `${ok}Content-Length: 0\r\n\r\n`
    assert.strictEqual(read(answers(100), "open").informational, 100)
    assert.strictEqual(read(answers(16), "open", { flavour: "transport" }).end, "end")
    assert.strictEqual(read(answers(17), "open", { flavour: "transport" }).end, "TooManyInformational")
    assert.strictEqual(
      read(answers(3), "open", { flavour: "transport", maxInformational: 2 }).end,
      "TooManyInformational"
    )
  })

  it("reads no body of the answer to a HEAD", () => {
    const { end, reading } = read(`${ok}Content-Length: 9\r\n\r\n`, "open", { flavour: "node", isHead: true })
    assert.strictEqual(end, "end")
    assert.isTrue(reading.isReusable())
  })

  it("tells whether the connection can be used again", () => {
    const isReusable = (text: string) => read(text, "open").reading.isReusable()
    assert.isTrue(isReusable(`${ok}Content-Length: 2\r\n\r\n{}`))
    assert.isTrue(isReusable(`${chunked}0\r\n\r\n`))
    assert.isTrue(isReusable("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}"))
    assert.isFalse(isReusable(`${ok}Content-Length: 2\r\n\r\n{`))
    assert.isFalse(isReusable(`${ok}Content-Length: 2\r\n\r\n{}x`))
    assert.isFalse(isReusable(`${ok}Content-Length: 2\r\nConnection: a, Close\r\n\r\n{}`))
    assert.isFalse(isReusable("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
    assert.isFalse(read(`${ok}\r\n{}`, "fin").reading.isReusable())
  })

  it("keeps the bytes and the order of headers as they are", () => {
    assert.deepStrictEqual(read(`${ok}A: \xe9 \r\nb:\r\nA:c\t\r\n\r\n`, "open").headers, [
      ["A", "\xe9"],
      ["b", ""],
      ["A", "c"]
    ])
  })
})
