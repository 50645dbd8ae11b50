/** Draws the table of a watch again and again in place. */
import type { Watch } from "@appservice-ping/client/Watch"
import { Clock, Effect, type Scope } from "effect"
import * as WatchTable from "../watch/WatchTable.ts"
import { type Look, write } from "./terminal.ts"

const refresh = "250 millis"

const hideCursor = "\u001b[?25l"
const showCursor = "\u001b[?25h"
const clearScreen = "\u001b[2J\u001b[H"

/** The size to assume if the terminal does not report one. */
const defaultSize = { columns: 80, rows: 24 } as const

const size = () => ({
  columns: process.stdout.columns > 0 ? process.stdout.columns : defaultSize.columns,
  rows: process.stdout.rows > 0 ? process.stdout.rows : defaultSize.rows
})

/** A process that is made to end still gives the cursor back. */
const restore = () => {
  process.stdout.write(showCursor)
}

const withoutCursor: Effect.Effect<void, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    process.once("exit", restore)
    process.stdout.write(hideCursor)
  }),
  () =>
    Effect.sync(() => {
      process.off("exit", restore)
      restore()
    })
)

/** Draws until it is interrupted. */
export const liveTable = (
  watch: Watch["Service"],
  { look, title }: { readonly title: string; readonly look: Look }
): Effect.Effect<never, never, Scope.Scope> =>
  Effect.gen(function*() {
    yield* withoutCursor
    let drawn: ReadonlyArray<string> = []
    let width = 0
    while (true) {
      const screen = { ...size(), look }
      const content = {
        title,
        statuses: yield* watch.all,
        load: yield* watch.load,
        now: yield* Clock.currentTimeMillis
      }
      const lines = WatchTable.draw(content, screen)
      if (screen.columns !== width || lines.join("\n") !== drawn.join("\n")) {
        // Lines of another width may have been broken, so that nobody knows how many there are.
        const back = width !== 0 && screen.columns !== width
          ? clearScreen
          : drawn.length === 0
          ? ""
          : `\u001b[${drawn.length}A\r\u001b[J`
        yield* write(`${back}${lines.map((line) => `${line}\n`).join("")}`)
        drawn = lines
        width = screen.columns
      }
      yield* Effect.sleep(refresh)
    }
  })
