/**
 * What a rule of the ping is: an id that tests, comments, documents and reports refer to, a sentence, who has to keep it,
 * and where it comes from.
 *
 * Ids are never used twice and never change their meaning: C for what passes between a client and its homeserver, A for
 * what passes between a homeserver and an appservice, D for what this project decides where the spec is silent.
 *
 * @since 0.1.0
 */

/**
 * The party that has to keep a rule. The client of a ping is an appservice that asks its homeserver.
 *
 * @category models
 * @since 0.1.0
 */
export type Side = "client" | "homeserver" | "appservice"

/**
 * The words with which a source asks for something; `stated` is a fact without a keyword, `http` what HTTP demands and
 * Matrix does not mention, `silent` what no source says, `decision` what this project decides.
 *
 * @category models
 * @since 0.1.0
 */
export type Wording =
  | "MUST"
  | "must"
  | "stated"
  | "SHOULD"
  | "should"
  | "recommended"
  | "expected"
  | "http"
  | "MAY"
  | "silent"
  | "decision"

/**
 * How much a rule weighs: an implementation that breaks a `must` is wrong, one that breaks a `should` or a rule of
 * `ours` deviates, and where the spec is `silent` it is neither.
 *
 * @category models
 * @since 0.1.0
 */
export type Level = "must" | "should" | "silent" | "ours"

/**
 * Where a rule comes from: a section of the spec, a proposal, a section of an RFC, an open question of the spec, or
 * our decision and the reason for it.
 *
 * @category models
 * @since 0.1.0
 */
export type Source =
  | {
    readonly _tag: "Spec"
    readonly page: "" | "application-service-api/" | "client-server-api/"
    readonly fragment: string
  }
  | { readonly _tag: "Proposal"; readonly msc: number }
  | { readonly _tag: "Rfc"; readonly rfc: number; readonly section: string }
  | { readonly _tag: "Issue"; readonly issue: number }
  | { readonly _tag: "Decision"; readonly why: string }

/**
 * A part of a rule that someone else has to keep, or that weighs less or more than the rule.
 *
 * @category models
 * @since 0.1.0
 */
export interface Part {
  readonly side: Side
  readonly wording: Wording
  readonly sentence: string
}

/**
 * A rule.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rule<Id extends string = string> {
  readonly id: Id
  /** The rule in one sentence. */
  readonly sentence: string
  /** The party that has to keep it. */
  readonly side: Side
  readonly wording: Wording
  readonly sources: readonly [Source, ...ReadonlyArray<Source>]
  /** What is answered, where the rule is about an answer. */
  readonly answer?: string
  /** The rule binds a homeserver that advertises this version of the spec or a later one. Default: all since v1.7. */
  readonly since?: `v1.${number}`
  /** The rule binds a homeserver that advertises this version of the spec or an earlier one. Default: all. */
  readonly until?: `v1.${number}`
  readonly parts?: ReadonlyArray<Part>
}

const levels: { readonly [wording in Wording]: Level } = {
  MUST: "must",
  must: "must",
  stated: "must",
  SHOULD: "should",
  should: "should",
  recommended: "should",
  expected: "should",
  http: "should",
  MAY: "silent",
  silent: "silent",
  decision: "ours"
}

/**
 * Returns the level of a wording, which follows from it mechanically.
 *
 * @category accessors
 * @since 0.1.0
 */
export const levelOf = (wording: Wording): Level => levels[wording]

/**
 * The version of the spec whose sections the rules link to.
 *
 * @category constants
 * @since 0.1.0
 */
export const specVersion = "v1.19"

/**
 * The address of a source; `undefined` for a decision, which has none.
 *
 * @category accessors
 * @since 0.1.0
 */
export const linkOf = (source: Source): string | undefined => {
  switch (source._tag) {
    case "Spec":
      return `https://spec.matrix.org/${specVersion}/${source.page}#${source.fragment}`
    case "Proposal":
      return `https://github.com/matrix-org/matrix-spec-proposals/pull/${source.msc}`
    case "Rfc":
      return `https://www.rfc-editor.org/rfc/rfc${source.rfc}#section-${source.section}`
    case "Issue":
      return `https://github.com/matrix-org/matrix-spec/issues/${source.issue}`
    case "Decision":
      return undefined
  }
}
