/**
 * How many pings a second the memory testbed does, one after another, through both legs and with its journal, in real
 * and in virtual time. The first round warms up; the others count.
 */
import * as Ping from "@appservice-ping/client/Ping"
import * as Virtual from "@appservice-ping/testbed/play/Virtual"
import { layerMemory, Testbed } from "@appservice-ping/testbed/Testbed"
import { Effect } from "effect"

const pings = 20_000
const rounds = 4

const measure = Effect.gen(function*() {
  const testbed = yield* Testbed
  const rates: Array<number> = []
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    for (let i = 0; i < pings; i++) yield* Ping.ping(testbed)
    rates.push(Math.round((pings * 1000) / (performance.now() - start)))
  }
  return rates.slice(1)
}).pipe(Effect.provide(layerMemory()), Effect.orDie)

const show = (name: string, rates: ReadonlyArray<number>): void => {
  console.log(`${name.padEnd(14)}${rates.join(", ")} pings/s`)
}

show("real time", await Effect.runPromise(measure))
show("virtual time", await Effect.runPromise(Virtual.run(measure, { maxSteps: Number.MAX_SAFE_INTEGER })))
