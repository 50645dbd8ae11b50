/** The newest events, for any number of readers at their own speed. */
import { Cause, Effect, Stream } from "effect"
import { Signal } from "./watchSignal.ts"

/**
 * A ring that all readers share. A reader has only its position, so that it costs the writer nothing, and one
 * that was overtaken knows by how much.
 */
export class EventLog<A> {
  readonly #capacity: number
  readonly #ring: Array<A> = []
  readonly #signal = new Signal()
  #written = 0
  #isEnded = false

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  write(event: A): void {
    this.#ring[this.#written % this.#capacity] = event
    this.#written++
    this.#signal.notify()
  }

  end(): void {
    this.#isEnded = true
    this.#signal.notify()
  }

  /** Everything written after the stream has started; `missed` counts the events overwritten before. */
  stream<B>(missed: (count: number) => B): Stream.Stream<A | B> {
    return Stream.fromPull(Effect.sync(() => {
      let position = this.#written
      const read = Effect.suspend(() => {
        const events: Array<A | B> = []
        const oldest = Math.max(0, this.#written - this.#capacity)
        if (position < oldest) {
          events.push(missed(oldest - position))
          position = oldest
        }
        while (position < this.#written) {
          const event = this.#ring[position++ % this.#capacity]
          if (event !== undefined) events.push(event)
        }
        const [head, ...tail] = events
        return head === undefined ? Cause.done() : Effect.succeed([head, ...tail] as const)
      })
      return Effect.andThen(this.#signal.until(() => position < this.#written || this.#isEnded), read)
    }))
  }
}
