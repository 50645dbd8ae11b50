/**
 * `appservice-ping proxy`: sits between two real peers and plays a fault plan on the connections between them.
 *
 * @since 0.1.0
 */
import { plain } from "@appservice-ping/domain/PlainText"
import { ca } from "@appservice-ping/testbed/carrier/tls/Certificates"
import * as WireProxy from "@appservice-ping/testbed/carrier/wire/WireProxy"
import * as ControlServer from "@appservice-ping/testbed/control/ControlServer"
import * as Surroundings from "@appservice-ping/testbed/control/Surroundings"
import * as PlanFile from "@appservice-ping/testbed/file/PlanFile"
import * as Problem from "@appservice-ping/testbed/file/Problem"
import * as Session from "@appservice-ping/testbed/play/Session"
import { Leg } from "@appservice-ping/testbed/step/Leg"
import { Console, Effect, Option, Result } from "effect"
import { Command, Flag } from "effect/cli"
import { writeFile } from "node:fs/promises"
import { negative, wrongUsage } from "./internal/CommandFailure.ts"
import * as Flags from "./internal/flags.ts"
import { makeOutputOptional } from "./internal/output.ts"
import { readText } from "./internal/textFile.ts"

const readPlan = Effect.fnUntraced(function*(file: string) {
  const read = PlanFile.fromText((yield* readText(file, "a plan")).text, { file: plain(file) })
  return Result.isFailure(read)
    ? yield* wrongUsage(...read.failure.message.split("\n").map((line) => plain(line)))
    : read.success
})

const writeCa = (file: string) =>
  Effect.tryPromise({ try: () => writeFile(file, ca), catch: () => file }).pipe(
    Effect.catch((file) => wrongUsage(`${plain(file)}: cannot be written`))
  )

const lineOf = ({ applied, fired, matched, rule, suppressed }: Session.RuleReport): string =>
  `${rule}: matched ${matched}, suppressed ${suppressed}, fired ${fired}, played ${applied}`

/** Without the control API, the end is the one time to learn whether a fault struck at all. */
const reportAtEnd = ({ report }: Session.Injection) =>
  Effect.addFinalizer(() =>
    Effect.flatMap(report, (rules) => Effect.forEach(rules, (rule) => Console.log(lineOf(rule)), { discard: true }))
  )

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
    tls: Flag.Boolean("tls").pipe(
      Flag.withDescription(
        "Speak TLS to clients, with a certificate of the testbed for localhost, homeserver.test and appservice.test; faults of TLS need it"
      ),
      Flag.withDefault(false)
    ),
    upstreamTls: Flag.Boolean("upstream-tls").pipe(
      Flag.withDescription("Speak TLS to the real server"),
      Flag.withDefault(false)
    ),
    plan: Flag.String("plan").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription(
        "A fault plan in YAML or JSON, which the control API may replace or heal; without one, nothing is broken until it says so"
      ),
      Flag.optional
    ),
    upstreamHost: Flag.String("upstream-host").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription(
        "The name to ask the real server for, in Host and in TLS, where it serves several (with --upstream-tls the one of --upstream)"
      ),
      Flag.optional
    ),
    writeCa: Flag.String("write-ca").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription("Write the certificate authority that clients have to trust with --tls, as PEM"),
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
      const plan = Option.isSome(input.plan) ? yield* readPlan(input.plan.value) : undefined
      const { host, leg, port, tls } = input
      const problems = plan === undefined ? [] : Surroundings.problems(plan, { leg, tls })
      if (problems.length > 0) {
        const file = plain(Option.getOrElse(input.plan, () => "the plan"))
        return yield* wrongUsage(...problems.map((problem) => plain(`${file}: ${Problem.toText(problem)}`)))
      }
      if (Option.isSome(input.writeCa)) yield* writeCa(input.writeCa.value)
      const upstream = {
        ...input.upstream,
        tls: input.upstreamTls,
        name: Option.getOrUndefined(input.upstreamHost)
      }
      const controlPort = Option.getOrUndefined(input.control)
      // The plan is in force before anyone can connect.
      const control = controlPort === undefined
        ? undefined
        : yield* Effect.provideService(
          ControlServer.serve({ port: controlPort, plan, surroundings: { leg, tls }, ca }),
          Session.Session,
          session
        )
      const injection = control === undefined && plan !== undefined ? yield* session.inject(plan) : undefined
      const proxy = yield* WireProxy.listen({ leg, upstream, session, host, port, tls })
      process.exitCode = 0
      yield* makeOutputOptional
      yield* Console.log(`proxy ready at ${proxy.url.origin}, in front of ${upstream.host}:${upstream.port}`)
      if (control !== undefined) yield* Console.log(`control API ready at ${control.url.origin}`)
      if (injection !== undefined) yield* reportAtEnd(injection)
      return yield* Effect.never
    },
    Effect.scoped,
    Effect.catchTag("ListenError", (error) => negative(error.message))
  )
).pipe(
  Command.withDescription(
    "Sits in front of a homeserver or an appservice and plays a fault plan on real connections: resets, stalls, latency, wrong answers. SIGTERM and SIGINT stop it with exit code 0; without the control API it then prints a report of each rule. Connections that the system refuses or ignores by itself are not counted."
  ),
  Command.withShortDescription("Play a fault plan between two real peers"),
  Command.withExamples([
    {
      command: "appservice-ping proxy --leg to_appservice --upstream 127.0.0.1:29300 --port 29400 --plan plan.yaml",
      description: "Break the way from a homeserver to a bridge; the registration's url names port 29400"
    }
  ])
)
