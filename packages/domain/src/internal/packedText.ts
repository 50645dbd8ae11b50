/**
 * What a foreign text holds in base64 or in hexadecimal. All runs are unpacked together, because a text may have a run in
 * every second word, and searching each by itself would take too long.
 */

/** A run of a packed text: where it is in the text, and where its bytes are among those that were unpacked. */
export interface Run {
  readonly from: number
  readonly to: number
  readonly first: number
  readonly last: number
}

/** Unpacked runs, a character for each byte. */
export interface Unpacked {
  readonly text: string
  readonly runs: ReadonlyArray<Run>
}

/** A text as its bytes in UTF-8, a character for each. */
export const bytesOf = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("")

/** So many line ends between two runs that nothing is read across them. */
const separatorLength = 9

interface Packing {
  /** Finds the runs; in base64 a line of mail ends after 76 characters at most. */
  readonly run: RegExp
  /** The characters and the bytes of the smallest unit. */
  readonly unit: readonly [characters: number, bytes: number]
  readonly normalized: (run: string) => string
  /** A unit is filled up with it. */
  readonly filling: string
  readonly separator: string
  readonly bytes: (characters: string) => string
}

const digitOf = (code: number): number => code < 0x3a ? code - 0x30 : (code | 0x20) - 0x57

/** So many arguments a function may have. */
const chunkLength = 8192

const fromHexadecimal = (digits: string): string => {
  const pieces: Array<string> = []
  const bytes = Uint8Array.from({ length: digits.length >> 1 })
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = digitOf(digits.charCodeAt(2 * i)) * 16 + digitOf(digits.charCodeAt(2 * i + 1))
  }
  for (let i = 0; i < bytes.length; i += chunkLength) {
    pieces.push(String.fromCharCode(...bytes.subarray(i, i + chunkLength)))
  }
  return pieces.join("")
}

const packings: ReadonlyArray<Packing> = [
  {
    run: /(?:[\w+/-]{60,76}\r?\n)*[\w+/-]{11,}/g,
    unit: [4, 3],
    normalized: (run) => /[\s_-]/.test(run) ? run.replaceAll(/\s/g, "").replaceAll("-", "+").replaceAll("_", "/") : run,
    filling: "A",
    separator: "CgoK".repeat(separatorLength / 3),
    bytes: (characters) => atob(characters)
  },
  {
    run: /[0-9a-f]{16,}/gi,
    unit: [2, 1],
    normalized: (run) => run,
    filling: "0",
    separator: "0a".repeat(separatorLength),
    bytes: fromHexadecimal
  }
]

interface Found {
  readonly run: string
  readonly from: number
  readonly to: number
}

const unpackFrom = (
  { bytes, filling, separator, unit: [characters, bytesOfUnit] }: Packing,
  found: ReadonlyArray<Found>,
  skipped: number
): Unpacked => {
  const pieces: Array<string> = []
  const runs: Array<Run> = []
  let first = 0
  let end = 0
  for (const { from, run, to } of found) {
    const units = Math.ceil((run.length - skipped) / characters)
    end = first + Math.floor((run.length - skipped) * bytesOfUnit / characters)
    const last = first + units * bytesOfUnit
    if (runs.length > 0) pieces.push(separator)
    pieces.push(run.slice(skipped).padEnd(units * characters, filling))
    runs.push({ from, to, first, last })
    first = last + separatorLength
  }
  return { text: bytes(pieces.join("")).slice(0, end), runs }
}

/** Unpacks all runs, once for each place that a run may really begin at: what stands before it may be of its alphabet. */
export const unpack = (text: string): ReadonlyArray<Unpacked> =>
  packings.flatMap((packing) => {
    const found = Array.from(text.matchAll(packing.run), ({ 0: run, index }): Found => ({
      run: packing.normalized(run),
      from: index,
      to: index + run.length
    }))
    return found.length === 0
      ? []
      : Array.from({ length: packing.unit[0] }, (_, skipped) => unpackFrom(packing, found, skipped))
  })

/** The places of the runs that have a part of these bytes. */
export const runsWithin = (
  runs: ReadonlyArray<Run>,
  first: number,
  last: number
): ReadonlyArray<readonly [from: number, to: number]> => {
  let [low, high] = [0, runs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((runs[middle]?.last ?? 0) <= first) low = middle + 1
    else high = middle
  }
  const within: Array<readonly [from: number, to: number]> = []
  for (let at = low; at < runs.length; at++) {
    const run = runs[at]
    if (run === undefined || run.first >= last) break
    within.push([run.from, run.to])
  }
  return within
}
