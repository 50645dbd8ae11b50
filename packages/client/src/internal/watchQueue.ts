/** A queue ordered by when something is due; entries with the same time keep the order they came in. */

/** An entry of the queue; `position` and `order` belong to the queue. */
export interface Due {
  /** When it is due; not to be changed while it is in the queue. */
  due: number
  /** Its index in the queue's array, or -1 if it is not in the queue. */
  position: number
  order: number
}

/** A binary heap that knows the index of each entry, so that any of them can be removed. */
export class DueQueue<A extends Due> {
  readonly #heap: Array<A> = []
  #pushed = 0

  peek(): A | undefined {
    return this.#heap[0]
  }

  push(entry: A): void {
    if (entry.position !== -1) this.remove(entry)
    entry.order = this.#pushed++
    this.#heap.push(entry)
    this.#up(entry, this.#heap.length - 1)
  }

  /** Removes an entry from any position; does nothing if it is in no queue. */
  remove(entry: A): void {
    if (this.#heap[entry.position] !== entry) return
    const position = entry.position
    const last = this.#heap.pop()
    entry.position = -1
    if (last === undefined || last === entry) return
    this.#up(last, position)
    this.#down(last, last.position)
  }

  /** Counts the entries that are due, looking only at those and their neighbours. */
  countDue(now: number): number {
    const count = (position: number): number => {
      const entry = this.#heap[position]
      return entry === undefined || entry.due > now ? 0 : 1 + count(2 * position + 1) + count(2 * position + 2)
    }
    return count(0)
  }

  #up(entry: A, from: number): void {
    let position = from
    while (position > 0) {
      const parent = this.#heap[(position - 1) >> 1]
      if (parent === undefined || !isBefore(entry, parent)) break
      this.#place(parent, position)
      position = (position - 1) >> 1
    }
    this.#place(entry, position)
  }

  #down(entry: A, from: number): void {
    let position = from
    for (;;) {
      const left = this.#heap[2 * position + 1]
      const right = this.#heap[2 * position + 2]
      const child = left !== undefined && right !== undefined && isBefore(right, left) ? right : left
      if (child === undefined || !isBefore(child, entry)) break
      const below = child.position
      this.#place(child, position)
      position = below
    }
    this.#place(entry, position)
  }

  #place(entry: A, position: number): void {
    this.#heap[position] = entry
    entry.position = position
  }
}

const isBefore = (a: Due, b: Due): boolean => a.due === b.due ? a.order < b.order : a.due < b.due
