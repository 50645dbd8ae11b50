/** The testbed in its two forms, so that one suite runs against both. */
import { layerMemory, layerSocket, type Testbed, type TestbedOptions } from "@appservice-ping/testbed/Testbed"
import { Effect, Layer, type Scope } from "effect"
import type { HttpClient } from "effect/http"
import { onVirtualTime } from "./ask.ts"

export interface Mode {
  readonly name: "memory" | "wire"
  /** Runs an effect against a testbed of its own; in memory on virtual time, which passes by itself. */
  readonly run: (options: TestbedOptions) => <A, E>(
    effect: Effect.Effect<A, E, Testbed | HttpClient.HttpClient | Scope.Scope>
  ) => Effect.Effect<A, E>
}

export const memory: Mode = {
  name: "memory",
  run: (options) => (effect) => onVirtualTime(Effect.provide(Effect.scoped(effect), layerMemory(options)), "1 hour")
}

export const wire: Mode = {
  name: "wire",
  run: (options) => (effect) => Effect.provide(Effect.scoped(effect), Layer.orDie(layerSocket(options)))
}

export const modes: ReadonlyArray<Mode> = [memory, wire]
