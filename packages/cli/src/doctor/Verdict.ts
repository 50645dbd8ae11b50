/**
 * What the doctor concludes.
 *
 * @since 0.1.0
 */
import type { Actor } from "@appservice-ping/domain/Diagnosis"

/**
 * What is wrong, who must act, what to do, and whether it can pass by itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface Verdict {
  readonly cause: string
  readonly actor: Actor
  readonly advice: string
  readonly temporary: boolean
}

/**
 * Whether the homeserver reaches the appservice, and the verdict on it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Conclusion {
  readonly ok: boolean
  readonly verdict: Verdict
}
