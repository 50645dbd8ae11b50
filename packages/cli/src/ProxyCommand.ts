/**
 * `appservice-ping proxy`: stands between two real peers and plays a fault plan on the connections between them.
 *
 * @since 0.1.0
 */
import * as ControlServer from "@appservice-ping/testbed/control/ControlServer"
import { Leg } from "@appservice-ping/testbed/plan/Leg"
import * as PlanFile from "@appservice-ping/testbed/plan/PlanFile"
import * as Session from "@appservice-ping/testbed/Session"
import * as WireProxy from "@appservice-ping/testbed/wire/WireProxy"
import { Console, Effect, Option, Result } from "effect"
import { Command, Flag } from "effect/cli"
import { negative, wrongUsage } from "./internal/CommandFailure.ts"
import * as Flags from "./internal/flags.ts"
import { plain } from "./internal/text.ts"
import { readText } from "./internal/textFile.ts"

/**
 * `appservice-ping proxy`.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make(
  "proxy",
  {
    leg: Flag.Literals("leg", Leg.literals).pipe(Flag.withDescription("Which way the requests go that pass here")),
    upstream: Flags.upstream,
    host: Flags.host.pipe(Flag.withDescription("Where to listen"), Flag.withDefault("127.0.0.1")),
    port: Flags.port.pipe(Flag.withDescription("The port; 0 picks a free one"), Flag.withDefault(0)),
    plan: Flag.String("plan").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription(
        "A fault plan in YAML or JSON; without one, nothing is broken until the control API says so"
      ),
      Flag.optional
    ),
    control: Flags.portOf("control").pipe(
      Flag.withDescription("The port of the control API, on 127.0.0.1; 0 picks a free one"),
      Flag.optional
    )
  },
  Effect.fnUntraced(
    function*(input) {
      const session = yield* Session.make()
      const file = Option.getOrUndefined(input.plan)
      if (file !== undefined) {
        const read = PlanFile.fromText((yield* readText(file, "a plan")).text, { file: plain(file) })
        if (Result.isFailure(read)) {
          return yield* wrongUsage(...read.failure.message.split("\n").map((line) => plain(line)))
        }
        yield* session.inject(read.success)
      }
      const { host, leg, port, upstream } = input
      const proxy = yield* WireProxy.listen({ leg, upstream, session, host, port })
      const controlPort = Option.getOrUndefined(input.control)
      const control = controlPort === undefined
        ? undefined
        : yield* Effect.provideService(ControlServer.serve({ port: controlPort }), Session.Session, session)
      process.exitCode = 0
      yield* Console.log(`proxy ready at ${proxy.url.origin}, in front of ${upstream.host}:${upstream.port}`)
      if (control !== undefined) yield* Console.log(`control API ready at ${control.url.origin}`)
      return yield* Effect.never
    },
    Effect.scoped,
    Effect.catchTag("ListenError", (error) => negative(error.message))
  )
).pipe(
  Command.withDescription(
    "Stands in front of a homeserver or an appservice and plays a fault plan on real connections: resets, stalls, latency, wrong answers. SIGTERM and SIGINT stop it with exit code 0."
  ),
  Command.withShortDescription("Play a fault plan between two real peers"),
  Command.withExamples([
    {
      command: "appservice-ping proxy --leg to-appservice --upstream 127.0.0.1:29300 --port 29400 --plan plan.yaml",
      description: "Break the way from a homeserver to a bridge; the registration's url names port 29400"
    }
  ])
)
