/**
 * Everything that can be broken on the way of a ping, as data, by the names people know.
 *
 * Each fault is made of the steps of `step/Step`; `script` gives the steps themselves. What is said of a fault is in its
 * file under `fault/kind/`, and `docs/faults/README.md` lists all of them.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import type { Action } from "../step/Action.ts"
import { kinds } from "./internal/kinds.ts"
import type { Circumstances, Definition, ExampleTimes, Stage } from "./Kind.ts"

/**
 * The constructors of all faults: `Fault.resetPeer`, `Fault.drip` and so on.
 *
 * @category constructors
 * @since 0.1.0
 */
export * from "./internal/constructors.ts"

/**
 * Schema for a fault: one of the kinds, distinguished by `type`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fault = Schema.Union(Object.values(kinds).map(({ schema }) => schema)).annotate({
  identifier: "Fault",
  description: "What breaks."
})

/**
 * One thing that is broken.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault = typeof Fault.Type

/**
 * The names of all kinds of faults.
 *
 * @category constants
 * @since 0.1.0
 */
export const types: ReadonlyArray<string> = Object.keys(kinds)

const kindOf = ({ type }: Fault): Definition<Fault> => kinds[type]

/**
 * The action that a fault means: the steps that it is made of, or what else happens.
 *
 * @category combinators
 * @since 0.1.0
 */
export const actionOf = (fault: Fault, circumstances: Circumstances): Action =>
  kindOf(fault).actionOf(fault, circumstances)

/**
 * The stage of a fault; `undefined` for `pass`, which has none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const stageOf = (fault: Fault): Stage | undefined => kindOf(fault).stageOf(fault)

/**
 * Checks whether a fault needs a connection that speaks TLS.
 *
 * @category guards
 * @since 0.1.0
 */
export const needsTls = (fault: Fault): boolean => kindOf(fault).needsTls?.(fault) ?? false

/**
 * Checks whether what happens depends on chance.
 *
 * @category guards
 * @since 0.1.0
 */
export const isDrawn = (fault: Fault): boolean => kindOf(fault).isDrawn?.(fault) ?? false

/**
 * Describes a fault in one line, for reports and the names of tests.
 *
 * **Example** (Describing a reset)
 *
 * ```ts
 * import * as Fault from "@appservice-ping/testbed/fault/Fault"
 *
 * Fault.describe(Fault.resetPeer({ phase: "in_body", framing: "chunked" })) // => "reset in the body, chunked"
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const describe = (fault: Fault): string => kindOf(fault).describe(fault)

/**
 * The variety of a fault, without its numbers: its type and its literals.
 *
 * **Example** (Naming a variety)
 *
 * ```ts
 * import * as Fault from "@appservice-ping/testbed/fault/Fault"
 *
 * Fault.varietyOf(Fault.tls("expired")) // => "tls:expired"
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const varietyOf = (fault: Fault): string =>
  [fault.type, ...(kindOf(fault).variantOf?.(fault) ?? []).filter((part) => part !== undefined)].join(":")

/**
 * The examples of every kind of fault.
 *
 * @category combinators
 * @since 0.1.0
 */
export const examples = (times: ExampleTimes): ReadonlyArray<Fault> =>
  Object.values<Definition<Fault>>(kinds).flatMap((kind) => kind.examples(times))

/**
 * What other tools, and people, call the faults and their fields, with the names that they mean.
 *
 * @category constants
 * @since 0.1.0
 */
export const synonyms: { readonly [word: string]: ReadonlyArray<string> } = (() => {
  const meant = new Map<string, Set<string>>()
  const add = (words: ReadonlyArray<string>, name: string): void => {
    for (const word of words) meant.set(word, (meant.get(word) ?? new Set()).add(name))
  }
  for (const [type, kind] of Object.entries<Definition<Fault>>(kinds)) {
    add(kind.synonyms ?? [], type)
    for (const [field, words] of Object.entries(kind.fieldSynonyms ?? {})) add(words, field)
  }
  return Object.fromEntries(Array.from(meant, ([word, names]) => [word, [...names]]))
})()
