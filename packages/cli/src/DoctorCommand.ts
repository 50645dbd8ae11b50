/**
 * `appservice-ping doctor`: looks at every part of the way from the homeserver to the appservice, and says what is wrong.
 *
 * @since 0.1.0
 */
import { titles } from "@appservice-ping/doctor/Check"
import * as Doctor from "@appservice-ping/doctor/Doctor"
import * as Report from "@appservice-ping/doctor/Report"
import { RegistrationError } from "@appservice-ping/domain/Registration"
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { negative, wrongUsage } from "./internal/CommandFailure.ts"
import { checkLine, conclusionLines, runningLine } from "./internal/doctorReport.ts"
import * as Flags from "./internal/flags.ts"
import * as HttpClientLayer from "./internal/httpClient.ts"
import { readSource } from "./internal/registrationFile.ts"
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
    const own = yield* readSource(registration)
    const copy = yield* Effect.transposeOption(Option.map(homeserverRegistration, (file) => readSource(file)))
    const checks = Doctor.examine({
      registration: own.source,
      homeserver,
      copy: Option.getOrUndefined(copy)?.source,
      text: own.text,
      isWorldReadable: own.isWorldReadable,
      listen: Option.getOrUndefined(listen),
      timeout: Option.getOrUndefined(timeout),
      ...json ? {} : printing(look)
    })
    // The line of the check that is under way has no end yet.
    const report = yield* look.live && !json ? Effect.onInterrupt(checks, () => write("\n")) : checks
    if (json) yield* Console.log(Report.json(report))
    else yield* Effect.forEach(["", ...conclusionLines(report, look)], (line) => Console.log(line))
    if ([own, ...Option.toArray(copy)].some(({ source }) => source instanceof RegistrationError)) {
      return yield* wrongUsage()
    }
    if (!report.ok) return yield* negative()
  }, (effect, { timeout }) => Effect.provide(effect, HttpClientLayer.layer({ timeout })))
).pipe(
  Command.withDescription(
    "Looks at the registration, the homeserver, the listener, a direct call and the ping itself, and says what is wrong, who must act and what to do. Where no appservice listens, it answers in its place, to test the rest of the way. What it sees of the appservice from here need not be what the homeserver sees: run it where the homeserver runs, if you can. Exit code 0 when the homeserver reaches the appservice, 1 when not, 2 when a file cannot be used."
  ),
  Command.withShortDescription("Find out why a ping fails"),
  Command.withExamples([
    {
      command: "appservice-ping doctor --registration registration.yaml --homeserver https://matrix.example",
      description: "Find out why a bridge is silent"
    }
  ])
)

const clearLine = "\r\u001b[K"

const printing = (look: Look): Pick<Doctor.Options, "onEnd" | "onStart"> => ({
  onStart: (id) => look.live ? write(runningLine(titles[id], look)) : Effect.void,
  onEnd: (check) => Effect.andThen(look.live ? write(clearLine) : Effect.void, Console.log(checkLine(check, look)))
})
