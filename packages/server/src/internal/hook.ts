/** The hooks of an app, which run beside an answer and never change it. */
import type * as Deadline from "@appservice-ping/domain/Deadline"
import { type Context, Effect } from "effect"

export interface HookOptions<R> {
  /** What the hook is for, in the log. */
  readonly of: string
  readonly deadline: Deadline.Deadline
  readonly context: Context.Context<R>
}

/** Runs a hook in the app's context: one that takes too long is interrupted, and one that fails or throws is logged. */
export const run = <R>(
  hook: () => Effect.Effect<void, unknown, R>,
  { context, deadline, of }: HookOptions<R>
): Effect.Effect<void> =>
  deadline.within(
    Effect.suspend(hook).pipe(
      Effect.catchCause((cause) => Effect.logError(`The hook of a ${of} failed`, cause)),
      Effect.provideContext(context)
    ),
    Effect.logWarning(`The hook of a ${of} took too long and was interrupted`)
  )
