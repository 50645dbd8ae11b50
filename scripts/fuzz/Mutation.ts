/** Changes an input here and there, byte by byte or by pieces that HTTP, JSON and Matrix give a meaning. */
import type { Entry, Input } from "./Corpus.ts"
import { endings, tokens } from "./Corpus.ts"
import type { Random } from "./Random.ts"

/** What has a meaning to a parser, and so leads further than a random byte. */
const words: readonly [string, ...ReadonlyArray<string>] = [
  "\r\n",
  "\n",
  "\r",
  "\r\n\r\n",
  "\0",
  " ",
  "\t",
  ":",
  ";",
  ",",
  "0",
  "-1",
  "+1",
  "0x10",
  "1e3",
  "4294967296",
  "9007199254740993",
  "99999999999999999999",
  "Content-Length: 0\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 2, 2\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Connection: close\r\n",
  "Connection: keep-alive, upgrade\r\n",
  "Upgrade: h2c\r\n",
  "Expect: 100-continue\r\n",
  "Expect: 200-ok\r\n",
  "Host: other\r\n",
  "Trailer: x\r\n",
  " obs-fold\r\n",
  "0\r\n\r\n",
  "5\r\nhello\r\n",
  "5;ext=\"a\"\r\nhello\r\n",
  "ffffffffffffffff\r\n",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
  "HTTP/1.1 200 OK\r\n",
  "HTTP/1.0",
  "HTTP/1.1",
  "HTTP/2.0",
  "GET ",
  "HEAD ",
  "OPTIONS ",
  "PUT ",
  "CONNECT ",
  "TRACE ",
  "FOO ",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "http://other.example",
  "//",
  "/./",
  "/../",
  "%",
  "%2",
  "%2F",
  "%00",
  "%ff",
  "%c0%af",
  "?access_token=",
  `?access_token=${encodeURIComponent(tokens.as_token)}`,
  "&user_id=%40bot%3Alocalhost",
  "&user_id=%40other%3Aelsewhere",
  "&device_id=D",
  "#",
  "/_matrix/client/versions",
  "/_matrix/app/v1/ping",
  "/_matrix/client/v1/appservice/telegram/ping",
  "unstable/fi.mau.msc2659",
  tokens.as_token,
  tokens.hs_token,
  "Authorization: Bearer ",
  "Authorization: Basic Og==\r\n",
  "{",
  "}",
  "[",
  "\"",
  "\\u0000",
  "\\ud800",
  "null",
  "1e999",
  "{\"transaction_id\":\"x\"}",
  "\"__proto__\":{}",
  "{\"duration_ms\":1}",
  "{\"errcode\":\"M_BAD_STATUS\",\"status\":500,\"body\":\"x\"}",
  "\"retry_after_ms\":-1",
  "Retry-After: 9999999999999\r\n",
  "Location: http://other.example/?a=b\r\n",
  "\u00ef\u00bb\u00bf",
  "\u00c3\u0028",
  "\u00ff"
]

type Bytes = Uint8Array

const joined = (...parts: ReadonlyArray<Bytes>): Bytes => Buffer.concat(parts)

/** A part of some bytes; mostly a short one, because what is long is seldom of one piece. */
const range = (random: Random, length: number): readonly [from: number, to: number] => {
  const from = random.below(length + 1)
  const most = random.chance(0.8) ? Math.min(16, length - from) : length - from
  return [from, from + random.below(most + 1)]
}

/** Whatever a mutation makes of an input, it is no larger than this many bytes, or twice what it was. */
const maxInputBytes = 256 * 1024

type Mutator = (bytes: Bytes, random: Random, others: ReadonlyArray<Entry>) => Bytes

const mutators: readonly [Mutator, ...ReadonlyArray<Mutator>] = [
  (bytes, random) => {
    const changed = Uint8Array.from(bytes)
    const at = random.below(bytes.length)
    changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8))
    return changed
  },
  (bytes, random) => {
    const changed = Uint8Array.from(bytes)
    changed[random.below(bytes.length)] = random.below(256)
    return changed
  },
  (bytes, random) => {
    const at = random.below(bytes.length + 1)
    return joined(bytes.subarray(0, at), Buffer.from(random.pick(words), "latin1"), bytes.subarray(at))
  },
  (bytes, random) => {
    const [from, to] = range(random, bytes.length)
    return joined(bytes.subarray(0, from), Buffer.from(random.pick(words), "latin1"), bytes.subarray(to))
  },
  (bytes, random) => {
    const [from, to] = range(random, bytes.length)
    return joined(bytes.subarray(0, from), bytes.subarray(to))
  },
  (bytes, random) => {
    const [from, to] = range(random, bytes.length)
    const at = random.below(bytes.length + 1)
    return joined(bytes.subarray(0, at), bytes.subarray(from, to), bytes.subarray(at))
  },
  // One piece again and again: many headers, many chunks, deep JSON, a long line.
  (bytes, random) => {
    const [from, to] = range(random, bytes.length)
    const piece = bytes.subarray(from, to)
    const times = random.pick([2, 8, 64, 300, 2000, 20_000])
    const most = Math.min(times, Math.floor(maxInputBytes / Math.max(1, piece.length)))
    return joined(bytes.subarray(0, to), ...Array.from({ length: most }, () => piece), bytes.subarray(to))
  },
  // A line of a head once more, or somewhere else.
  (bytes, random) => {
    const lines = Buffer.from(bytes).toString("latin1").split("\r\n")
    const line = lines[random.below(lines.length)] ?? ""
    lines.splice(random.below(lines.length + 1), random.below(2), line)
    return Buffer.from(lines.join("\r\n"), "latin1")
  },
  // A number as another number.
  (bytes, random) => {
    const text = Buffer.from(bytes).toString("latin1")
    const numbers = [...text.matchAll(/\d+/g)]
    const number = numbers[random.below(Math.max(1, numbers.length))]
    if (number === undefined) return bytes
    const value = random.pick([
      "0",
      "1",
      "99",
      "100",
      "101",
      "204",
      "304",
      "431",
      "999",
      "1000",
      "00",
      "-1",
      "65536",
      "1e9"
    ])
    return Buffer.from(text.slice(0, number.index) + value + text.slice(number.index + number[0].length), "latin1")
  },
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  // The start of one message and the end of another, or one behind the other.
  (bytes, random, others) => {
    const other = others[random.below(Math.max(1, others.length))]
    if (other === undefined || other.bytes.length > maxInputBytes) return bytes
    const from = random.chance(0.5) ? 0 : random.below(other.bytes.length + 1)
    return joined(
      bytes.subarray(0, random.chance(0.5) ? bytes.length : random.below(bytes.length + 1)),
      other.bytes.subarray(from)
    )
  }
]

/** Sets where the writes end: as they were, nowhere, at a few places, or after every byte of the start. */
const recut = (cuts: ReadonlyArray<number>, length: number, random: Random): ReadonlyArray<number> => {
  if (random.chance(0.6)) return cuts.filter((cut) => cut > 0 && cut < length)
  if (random.chance(0.3)) return []
  if (random.chance(0.1)) return Array.from({ length: Math.min(length - 1, 64) }, (_, index) => index + 1)
  const places = Array.from({ length: 1 + random.below(4) }, () => random.below(length + 1))
  return [...new Set(places)].filter((cut) => cut > 0 && cut < length).toSorted((a, b) => a - b)
}

/** Changes an input in one to eight ways; `others` lends pieces of its own. */
export const mutate = (input: Input, random: Random, others: ReadonlyArray<Entry>): Input => {
  let bytes = input.bytes
  const times = random.chance(0.5) ? 1 : 2 + random.below(7)
  for (let i = 0; i < times; i++) {
    if (bytes.length === 0) break
    const changed = random.pick(mutators)(bytes, random, others)
    if (changed.length <= Math.max(maxInputBytes, 2 * input.bytes.length)) bytes = changed
  }
  // What goes on for ever takes as long as its reader lets it, so that few cases do.
  const ending = random.chance(0.9) ? input.ending : random.pick(endings)
  return {
    kind: input.kind,
    bytes,
    cuts: recut(input.cuts, bytes.length, random),
    ending: ending === "endless" && random.chance(0.95) ? "fin" : ending
  }
}
