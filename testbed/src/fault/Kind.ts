/**
 * What is said of a kind of fault, in the one file that it has under `kind/`: its fields, the steps it is made of, its
 * words, its synonyms and its examples.
 *
 * The union of all faults, their constructors, the catalogue, the synonyms, the JSON Schema and the docs follow from
 * these definitions.
 *
 * @since 0.1.0
 */
import type { Duration } from "effect"
import { Schema } from "effect"
import type { Action } from "../step/Action.ts"
import type { Leg } from "../step/Leg.ts"

/**
 * When a fault is decided: for a `connection`, of which nothing is known yet, or for a `request` that was read.
 *
 * @category models
 * @since 0.1.0
 */
export type Stage = "connection" | "request"

/**
 * What the action of a fault may depend on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Circumstances {
  readonly leg: Leg
  /** A random number from 0 to 1. */
  readonly draw: number
  /** Milliseconds since the plan began. */
  readonly time: number
  /** Milliseconds since 1970, for a date in a header. */
  readonly now: number
  /** The path of the request, where it is known: a redirect loop leads there. */
  readonly path?: string | undefined
}

/**
 * The times that the examples of a fault choose from.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExampleTimes {
  readonly leg: Leg
  /** Clearly within the deadline of the leg. */
  readonly within: Duration.Duration
  /** Clearly beyond it. */
  readonly beyond: Duration.Duration
  /** Between two of the hundred or more pieces of an answer, so that all of them are within the deadline. */
  readonly shortGap: Duration.Duration
  /** Between two of the hundred or more pieces of an answer, so that all of them are beyond the deadline. */
  readonly longGap: Duration.Duration
}

/**
 * Everything that is said of a kind of fault but its fields.
 *
 * @category models
 * @since 0.1.0
 */
export interface Definition<F> {
  /** What happens, in one sentence without a full stop. */
  readonly summary: string
  /** What other tools, and people, call it. */
  readonly synonyms?: ReadonlyArray<string>
  /** What other tools, and people, call its fields. */
  readonly fieldSynonyms?: { readonly [field: string]: ReadonlyArray<string> }
  /** When it is decided; `undefined` for a fault that does nothing. */
  stageOf(fault: F): Stage | undefined
  /** The steps that it is made of, or what else happens. */
  actionOf(fault: F, circumstances: Circumstances): Action
  /** What it does, in a few words for reports and the names of tests. */
  describe(fault: F): string
  /** Its varieties with reasonable numbers, each described differently. */
  examples(times: ExampleTimes): ReadonlyArray<F>
  /** The literals that distinguish its varieties, such as its defect. Default: none. */
  variantOf?(fault: F): ReadonlyArray<string | number | undefined>
  /** Whether it says nothing on a connection without TLS. Default: never. */
  needsTls?(fault: F): boolean
  /** Whether what happens depends on chance. Default: never. */
  isDrawn?(fault: F): boolean
}

/**
 * A kind of fault: its schema, and everything else that is said of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Kind<S extends Schema.Constraint> extends Definition<S["Type"]> {
  readonly schema: S
}

/**
 * Makes a kind of fault.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = <S extends Schema.Constraint>(schema: S, definition: Definition<S["Type"]>): Kind<S> => ({
  schema,
  ...definition
})

/** The fields of a fault, where one that may be absent may also be `undefined`. */
type Fields<F> = {
  readonly [K in keyof F as K extends "type" ? never : K]: {} extends Pick<F, K> ? F[K] | undefined : F[K]
}

/**
 * Makes the constructor of a fault: it checks every field, and throws with the name of the one that is out of its
 * bounds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const maker = <F extends { readonly type: string }, E>(
  type: F["type"],
  schema: Schema.Codec<F, E>
): (fields: Fields<F>) => F => {
  const decode = Schema.decodeUnknownSync(Schema.toType(schema), { onExcessProperty: "error" })
  return (fields) =>
    decode({ type, ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) })
}
