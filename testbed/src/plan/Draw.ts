/**
 * Numbers that look random and are not: each follows from the seed and from what it is drawn for, and from nothing
 * else.
 *
 * No generator moves on from one draw to the next, so a request more or less elsewhere, or another order of two
 * requests at the same time, changes no other draw.
 *
 * @since 0.1.0
 */

const mix = (hash: number): number => {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const hash = (text: string, start: number): number => {
  let h = start
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x0100_0193)
  return mix(h)
}

/**
 * Draws a number from 0 (inclusive) to 1 (exclusive), of 53 bits.
 *
 * **Example** (Drawing twice for the same thing)
 *
 * ```ts
 * import { draw } from "@appservice-ping/testbed/plan/Draw"
 *
 * draw(7, ["rule-1", "probability", "ping-42", 1]) === draw(7, ["rule-1", "probability", "ping-42", 1]) // => true
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const draw = (seed: number, key: ReadonlyArray<string | number>): number => {
  // JSON, because joined parts could run into each other.
  const text = JSON.stringify([seed, ...key])
  const high = hash(text, 0x811c_9dc5) >>> 5
  const low = hash(text, 0x9e37_79b9) >>> 6
  return (high * 2 ** 26 + low) / 2 ** 53
}
