/**
 * The main job of the repository, `npm start`: a homeserver and an appservice on loopback sockets, from the registration
 * of a real bridge, and a ping through every fault.
 */
import type { Registration } from "@appservice-ping/domain/Registration"
import { fromText } from "@appservice-ping/domain/RegistrationFile"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Duration, Effect } from "effect"
import { readFile } from "node:fs/promises"
import { relative } from "node:path"
import { fileURLToPath } from "node:url"
import * as Tour from "../scenario/Tour.ts"
import * as TourReport from "../scenario/TourReport.ts"
import { layerSocket, Testbed } from "../Testbed.ts"

/** A bridge author may give the registration of their own bridge. */
const file = process.argv[2] ?? fileURLToPath(new URL("../../registrations/telegram.yaml", import.meta.url))

/** Short, so that the tour is; long enough that a tenth of it is more than a busy machine adds. */
const pingTimeout = Duration.millis(1500)

const options: TourReport.RenderOptions = {
  isColoured: process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === ""
}

const readRegistration: Effect.Effect<Registration, string> = Effect.tryPromise({
  try: () => readFile(file, "utf8"),
  catch: (error) => `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`
}).pipe(
  Effect.flatMap((text) =>
    Effect.fromResult(fromText(text, relative(process.cwd(), file))).pipe(
      Effect.mapBoth({ onSuccess: ({ registration }) => registration, onFailure: (error) => error.message })
    )
  )
)

const tour = Effect.gen(function*() {
  const testbed = yield* Testbed
  const faults = Tour.faults(pingTimeout)
  yield* Console.log(
    `The appservice ${testbed.registration.id} (${
      relative(process.cwd(), file)
    }) listens at ${testbed.appserviceUrl.origin},\n` +
      `the homeserver at ${testbed.homeserver.origin}. The homeserver waits ${
        Duration.toMillis(pingTimeout)
      } ms for the appservice.\n` +
      `The client asks for a ping through ${faults.length} faults, and once more after each of them.\n`
  )
  const stops = yield* Tour.run({
    faults,
    pingTimeout,
    report: (stop, number, count) => Console.log(TourReport.line(stop, number, count, options))
  })
  yield* Console.log(`\n${TourReport.table(stops, options)}`)
  return Tour.isGood(stops)
})

const main = readRegistration.pipe(
  Effect.flatMap((registration) =>
    tour.pipe(
      Effect.provide(layerSocket({ registration, pingTimeout })),
      Effect.mapError((error) => error.message)
    )
  ),
  Effect.catch((message) => Effect.as(Console.error(message), false)),
  Effect.tap((isGood) =>
    Effect.sync(() => {
      process.exitCode = isGood ? 0 : 1
    })
  )
)

NodeRuntime.runMain(main)
