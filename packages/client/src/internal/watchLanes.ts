/** Which ping may start next, among those that are due. */
import { type Due, DueQueue } from "./watchQueue.ts"

/** An entry that can wait in a lane. */
export interface Waiting extends Due {
  /** Whether its last ping failed; not to be changed while it waits or runs. */
  isDoubtful: boolean
}

/**
 * Bounds how many pings run at once. Those whose last ping failed get half of the room at most: a homeserver that hangs
 * would otherwise, with all of its appservices, keep every other one waiting.
 */
export class Lanes<A extends Waiting> {
  readonly #all: number
  readonly #doubtful: number
  readonly #trustedQueue = new DueQueue<A>()
  readonly #doubtfulQueue = new DueQueue<A>()
  #runningDoubtful = 0
  running = 0

  constructor(concurrency: number) {
    this.#all = concurrency
    this.#doubtful = Math.ceil(concurrency / 2)
  }

  push(entry: A): void {
    this.#queueOf(entry).push(entry)
  }

  /** Takes out what waits; does nothing with what does not. */
  remove(entry: A): void {
    this.#queueOf(entry).remove(entry)
  }

  /** When the next ping may start, or `Infinity` where one has to end first. */
  get nextDue(): number {
    return this.#next()?.peek()?.due ?? Infinity
  }

  /** Takes the next that is due, and counts it as running until it is released. */
  take(now: number): A | undefined {
    const queue = this.#next()
    const entry = queue?.peek()
    if (queue === undefined || entry === undefined || entry.due > now) return undefined
    queue.remove(entry)
    this.running++
    if (entry.isDoubtful) this.#runningDoubtful++
    return entry
  }

  release(entry: A): void {
    this.running--
    if (entry.isDoubtful) this.#runningDoubtful--
  }

  /** How many are due, whether there is room for them or not. */
  countDue(now: number): number {
    return this.#trustedQueue.countDue(now) + this.#doubtfulQueue.countDue(now)
  }

  /** When the first is due, whether there is room for it or not. */
  get firstDue(): number {
    return Math.min(this.#trustedQueue.peek()?.due ?? Infinity, this.#doubtfulQueue.peek()?.due ?? Infinity)
  }

  /** Takes out everything that is due. */
  drain(now: number): ReadonlyArray<A> {
    const due: Array<A> = []
    for (const queue of [this.#trustedQueue, this.#doubtfulQueue]) {
      for (let entry = queue.peek(); entry !== undefined && entry.due <= now; entry = queue.peek()) {
        queue.remove(entry)
        due.push(entry)
      }
    }
    return due
  }

  #queueOf(entry: A): DueQueue<A> {
    return entry.isDoubtful ? this.#doubtfulQueue : this.#trustedQueue
  }

  #next(): DueQueue<A> | undefined {
    if (this.running >= this.#all) return undefined
    if (this.#runningDoubtful >= this.#doubtful) return this.#trustedQueue
    const trusted = this.#trustedQueue.peek()?.due ?? Infinity
    const doubtful = this.#doubtfulQueue.peek()?.due ?? Infinity
    return doubtful < trusted ? this.#doubtfulQueue : this.#trustedQueue
  }
}
