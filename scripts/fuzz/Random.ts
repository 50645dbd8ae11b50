/** Numbers that look random and follow from a seed, so that a case is the same in every run. */
export interface Random {
  /** A whole number from 0 to below `bound`. */
  readonly below: (bound: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <A>(from: readonly [A, ...ReadonlyArray<A>]) => A
}

const mixed = (value: number): number => {
  let x = Math.imul(value ^ (value >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return (x ^ (x >>> 15)) >>> 0
}

/** The numbers of one case of a run. */
export const make = (seed: number, index: number): Random => {
  let state = mixed(mixed(seed >>> 0) ^ (index >>> 0)) ^ Math.floor(index / 2 ** 32)
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    return mixed(state) / 2 ** 32
  }
  const below = (bound: number): number => Math.floor(next() * bound)
  return {
    below,
    chance: (probability) => next() < probability,
    pick: (from) => from[below(from.length)] ?? from[0]
  }
}
