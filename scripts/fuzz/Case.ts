/** One case of a run: which input it is follows from the seed and its number alone. */
import type { Entry, Input, Kind } from "./Corpus.ts"
import { mutate } from "./Mutation.ts"
import * as Random from "./Random.ts"

export interface Case {
  /** Counts from 0; the first ones are the corpus as it is. */
  readonly index: number
  /** The entry that it is made of. */
  readonly origin: string
  readonly input: Input
}

/** An answer makes no request, and the other way round; the two servers may get each other's. */
const groupOf = (kind: Kind): string => kind === "appservice" ? "homeserver" : kind

/** Makes a case of a corpus, which is not empty. */
export const make = (corpus: ReadonlyArray<Entry>, seed: number, index: number): Case => {
  const random = Random.make(seed, index)
  const isEntry = index < corpus.length
  const entry = corpus[isEntry ? index : random.below(corpus.length)]
  if (entry === undefined) throw new Error("the corpus is empty")
  const origin = `${entry.kind}/${entry.name}`
  if (isEntry) return { index, origin, input: entry }
  const others = corpus.filter(({ kind }) => groupOf(kind) === groupOf(entry.kind))
  return { index, origin, input: mutate(entry, random, others) }
}
