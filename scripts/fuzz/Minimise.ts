/** Makes a failing input smaller while it goes on to fail. */
import type { Input } from "./Corpus.ts"

/** How often an input may be tried, and how long that may take, in milliseconds. */
const maxTries = 400
const maxMillis = 10_000

const without = (input: Input, from: number, to: number): Input => ({
  ...input,
  bytes: Buffer.concat([input.bytes.subarray(0, from), input.bytes.subarray(to)]),
  cuts: [...new Set(input.cuts.map((cut) => cut <= from ? cut : Math.max(from, cut - (to - from))))]
    .filter((cut) => cut > 0)
})

/** Takes pieces out, ever smaller ones, as long as `fails` says that what remains fails as before. */
export const minimise = async (input: Input, fails: (input: Input) => Promise<boolean>): Promise<Input> => {
  let tries = 0
  const until = performance.now() + maxMillis
  const isOver = (): boolean => tries >= maxTries || performance.now() > until
  let smallest = input
  const attempt = async (candidate: Input): Promise<boolean> => {
    if (isOver()) return false
    tries++
    if (!await fails(candidate)) return false
    smallest = candidate
    return true
  }
  if (input.cuts.length > 0) await attempt({ ...input, cuts: [] })
  for (let size = Math.ceil(smallest.bytes.length / 2); size >= 1 && !isOver();) {
    let isSmaller = false
    for (let from = 0; from < smallest.bytes.length && !isOver();) {
      if (await attempt(without(smallest, from, Math.min(from + size, smallest.bytes.length)))) isSmaller = true
      else from += size
    }
    if (size === 1 && !isSmaller) break
    size = size === 1 ? 1 : Math.ceil(size / 2)
  }
  return smallest
}
