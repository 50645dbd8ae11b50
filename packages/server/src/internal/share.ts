/** Something that there is so much of, for all together and for each: places of pings, bytes of bodies. */
import { Effect } from "effect"

/** How much there is. */
export interface ShareOptions {
  readonly max: number
  readonly maxEach: number
}

/** Gives out shares; what one holder may have leaves room for the others. */
export class Share {
  private readonly options: ShareOptions
  private taken = 0
  /** Only of those that hold something, so that it grows no larger than what there is. */
  private readonly takenBy = new Map<string, number>()

  constructor(options: ShareOptions) {
    this.options = options
  }

  /** Runs an effect that holds so much of it, or does `orElse` where there is not so much. */
  hold<A, E, R, E2>(
    { amount, by }: { readonly amount: number; readonly by: string },
    effect: Effect.Effect<A, E, R>,
    orElse: (isOwnShare: boolean) => Effect.Effect<never, E2>
  ): Effect.Effect<A, E | E2, R> {
    return Effect.suspend((): Effect.Effect<A, E | E2, R> => {
      if (this.taken + amount > this.options.max) return orElse(false)
      const own = (this.takenBy.get(by) ?? 0) + amount
      if (own > this.options.maxEach) return orElse(true)
      this.taken += amount
      this.takenBy.set(by, own)
      return Effect.ensuring(effect, Effect.sync(() => this.giveBack(by, amount)))
    })
  }

  private giveBack(by: string, amount: number): void {
    this.taken -= amount
    const left = (this.takenBy.get(by) ?? 0) - amount
    if (left > 0) this.takenBy.set(by, left)
    else this.takenBy.delete(by)
  }
}
