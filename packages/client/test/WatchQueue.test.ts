import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Lanes, type Waiting } from "../src/internal/watchLanes.ts"
import { type Due, DueQueue } from "../src/internal/watchQueue.ts"

interface Item extends Due {
  readonly name: number
}

const item = (name: number, due: number): Item => ({ name, due, position: -1, order: 0 })

const drain = (queue: DueQueue<Item>): ReadonlyArray<Item> => {
  const items: Array<Item> = []
  for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
    queue.remove(next)
    items.push(next)
  }
  return items
}

const Time = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 20 })))

describe("DueQueue", () => {
  it("is empty at first", () => {
    const queue = new DueQueue<Item>()
    assert.isUndefined(queue.peek())
    assert.strictEqual(queue.countDue(Infinity), 0)
  })

  it.prop("gives everything back by time, and what has the same time in the order it came", [Schema.Array(Time)], ([
    times
  ]) => {
    const queue = new DueQueue<Item>()
    const items = times.map((due, name) => item(name, due))
    for (const item of items) queue.push(item)
    assert.strictEqual(queue.countDue(Infinity), items.length)
    const expected = items.toSorted((a, b) => a.due - b.due || a.name - b.name)
    assert.deepStrictEqual(drain(queue).map(({ name }) => name), expected.map(({ name }) => name))
    assert.strictEqual(queue.countDue(Infinity), 0)
  })

  it.prop("loses and doubles nothing, whatever is taken out and put in again", [
    Schema.Array(Time),
    Schema.Array(Schema.Tuple([Time, Time]))
  ], ([times, moves]) => {
    const queue = new DueQueue<Item>()
    const items = times.map((due, name) => item(name, due))
    const inside = new Set(items)
    for (const item of items) queue.push(item)
    for (const [index, due] of moves) {
      const moved = items[index]
      if (moved === undefined) continue
      queue.remove(moved)
      // Twice, because what is not in the queue cannot be taken out of it.
      queue.remove(moved)
      inside.delete(moved)
      assert.strictEqual(queue.countDue(Infinity), inside.size)
      if (due % 2 === 0) {
        moved.due = due
        queue.push(moved)
        inside.add(moved)
      }
      const dues = [...inside].map((item) => item.due)
      assert.strictEqual(queue.peek()?.due, dues.length === 0 ? undefined : Math.min(...dues))
      assert.strictEqual(queue.countDue(due), dues.filter((one) => one <= due).length)
    }
    assert.sameMembers([...drain(queue)], [...inside])
  })

  it("takes an entry that is put in twice once", () => {
    const queue = new DueQueue<Item>()
    const one = item(1, 5)
    queue.push(one)
    queue.push(one)
    assert.deepStrictEqual(drain(queue), [one])
  })
})

describe("Lanes", () => {
  const Count = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 6 })))

  it.prop("loses nothing, keeps to its bounds, and starts the first that there is room for", [
    Count,
    Schema.Array(Schema.Tuple([Time, Schema.Boolean, Schema.Literals(["start", "end", "drop"])]))
  ], ([concurrency, moves]) => {
    const lanes = new Lanes<Item & Waiting>(concurrency)
    const waiting = new Set<Item & Waiting>()
    const running: Array<Item & Waiting> = []
    const isRoomFor = (entry: Waiting) =>
      running.length < concurrency &&
      (!entry.isDoubtful || running.filter(({ isDoubtful }) => isDoubtful).length < Math.ceil(concurrency / 2))
    for (const [name, [due, isDoubtful, move]] of moves.entries()) {
      const entry = { ...item(name, due), isDoubtful }
      lanes.push(entry)
      waiting.add(entry)
      const startable = [...waiting].filter(isRoomFor).map(({ due }) => due)
      assert.strictEqual(lanes.nextDue, Math.min(Infinity, ...startable))
      if (move === "start") {
        assert.isUndefined(lanes.take(lanes.nextDue === Infinity ? 100 : lanes.nextDue - 1))
        const taken = lanes.take(due)
        assert.strictEqual(taken !== undefined, startable.some((one) => one <= due))
        if (taken !== undefined) {
          assert.strictEqual(taken.due, Math.min(...startable))
          waiting.delete(taken)
          running.push(taken)
        }
      }
      if (move === "end") {
        const ended = running.shift()
        if (ended !== undefined) lanes.release(ended)
      }
      if (move === "drop") {
        lanes.remove(entry)
        waiting.delete(entry)
      }
      assert.strictEqual(lanes.running, running.length)
      assert.strictEqual(lanes.countDue(due), [...waiting].filter((one) => one.due <= due).length)
      assert.strictEqual(lanes.firstDue, Math.min(Infinity, ...[...waiting].map(({ due }) => due)))
    }
    assert.sameMembers([...lanes.drain(Infinity)], [...waiting])
  })
})
