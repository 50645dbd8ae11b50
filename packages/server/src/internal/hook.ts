/** The hooks of an app, which run beside an answer and never change it. */
import { type Context, type Duration, Effect } from "effect"

/** Runs a hook in the app's context: one that takes too long is interrupted, and one that fails or throws is logged. */
export const run = <R>(
  hook: () => Effect.Effect<void, unknown, R>,
  options: { readonly of: string; readonly timeout: Duration.Duration; readonly context: Context.Context<R> }
): Effect.Effect<void> =>
  Effect.suspend(hook).pipe(
    Effect.timeoutOrElse({
      duration: options.timeout,
      orElse: () => Effect.logWarning(`The hook of a ${options.of} took too long and was interrupted`)
    }),
    Effect.catchCause((cause) => Effect.logError(`The hook of a ${options.of} failed`, cause)),
    Effect.provideContext(options.context)
  )
