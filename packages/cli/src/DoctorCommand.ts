/**
 * `appservice-ping doctor`: looks at every part of the way from the homeserver to the appservice, and says what is wrong.
 *
 * @since 0.1.0
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import * as Report from "./doctor/Report.ts"
import { titles } from "./doctor/Step.ts"
import { negative } from "./internal/CommandFailure.ts"
import { type Observer, run } from "./internal/doctor/run.ts"
import * as Flags from "./internal/flags.ts"
import { type Look, lookOfStdout, write } from "./internal/terminal.ts"

/**
 * The `doctor` command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make(
  "doctor",
  {
    registration: Flags.registration,
    homeserver: Flags.homeserver,
    homeserverRegistration: Flag.String("homeserver-registration").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription("The homeserver's copy of the registration file, to compare"),
      Flag.optional
    ),
    listen: Flag.Boolean("listen").pipe(
      Flag.withDescription("Whether to answer in the appservice's place (only where nothing listens)"),
      Flag.optional
    ),
    timeout: Flags.duration("timeout").pipe(
      Flag.withDescription(
        "How long each call may take (\"10 seconds\", the direct call \"30 seconds\", the ping \"90 seconds\")"
      ),
      Flag.optional
    ),
    json: Flags.json.pipe(Flag.withDescription("Print the report as one JSON object"))
  },
  Effect.fnUntraced(function*({ homeserver, homeserverRegistration, json, listen, registration, timeout }) {
    const look = lookOfStdout()
    const steps = run({
      registration,
      homeserver,
      homeserverRegistration: Option.getOrUndefined(homeserverRegistration),
      listen: Option.getOrUndefined(listen),
      timeout: Option.getOrUndefined(timeout)
    }, json ? silent : printing(look))
    // The line of the step that is being taken has no end yet.
    const report = yield* look.live && !json ? Effect.onInterrupt(steps, () => write("\n")) : steps
    if (json) yield* Console.log(Report.json(report))
    else yield* Effect.forEach(["", ...Report.verdictLines(report, look)], (line) => Console.log(line))
    if (!report.ok) return yield* negative()
  }, Effect.provide(NodeHttpClient.layerNodeHttp))
).pipe(
  Command.withDescription(
    "Looks at the registration, the homeserver, the listener, a direct call and the ping itself, and says what is wrong, who must act and what to do. Where no appservice listens, it answers in its place, to test the rest of the way. What it sees of the appservice from here need not be what the homeserver sees: run it where the homeserver runs, if you can. Exit code 0 when the homeserver reaches the appservice, 1 when not."
  ),
  Command.withShortDescription("Find out why a ping fails"),
  Command.withExamples([
    {
      command: "appservice-ping doctor --registration registration.yaml --homeserver https://matrix.example",
      description: "Find out why a bridge is silent"
    }
  ])
)

const silent: Observer = { started: () => Effect.void, ended: () => Effect.void }

const clearLine = "\r\u001b[K"

const printing = (look: Look): Observer => ({
  started: (id) => look.live ? write(Report.runningLine(titles[id], look)) : Effect.void,
  ended: (step) => Effect.andThen(look.live ? write(clearLine) : Effect.void, Console.log(Report.stepLine(step, look)))
})
