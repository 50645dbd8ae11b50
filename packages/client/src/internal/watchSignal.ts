/** Wakes fibers that wait for a condition. */
import { Effect } from "effect"

/** Waiters look at the condition and queue up in one step, so that no wake-up is lost between the two. */
export class Signal {
  readonly #waiters = new Set<() => void>()

  /** Waits until the condition holds when {@link notify} is called, or now. */
  until(holds: () => boolean): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      if (holds()) return resume(Effect.void)
      const waiter = () => {
        if (!holds()) return
        this.#waiters.delete(waiter)
        // A resumed fiber runs at once: it must not do so in the middle of what its waker is doing.
        resume(Effect.yieldNow)
      }
      this.#waiters.add(waiter)
      return Effect.sync(() => this.#waiters.delete(waiter))
    })
  }

  notify(): void {
    for (const waiter of this.#waiters) waiter()
  }
}
