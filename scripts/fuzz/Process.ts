/** What no case is to blame for alone: what nobody caught, what was logged, and what spans hold. */
import { Cause, Inspectable, Layer, Logger, References, Tracer } from "effect"
import type { Finding } from "./Finding.ts"
import { secretsIn } from "./ServerJudge.ts"

export interface Process {
  readonly found: Array<Finding>
}

/** Notes what is thrown outside of everything. */
export const watch = (): Process => {
  const found: Array<Finding> = []
  const onUncaught = (error: unknown): void => {
    found.push({ kind: "crash", where: "process", text: error instanceof Error ? `${error.stack}` : String(error) })
  }
  process.on("uncaughtException", onUncaught)
  process.on("unhandledRejection", onUncaught)
  return { found }
}

/** Gives what was found since the last time. */
export const take = ({ found }: Process): ReadonlyArray<Finding> => found.splice(0)

const maxTextLength = 300

const look = ({ found }: Process, where: string, text: string): void => {
  const [secret] = secretsIn(text)
  if (secret !== undefined) {
    found.push({ kind: "secret", where, text: `the ${secret} in a ${where}: ${text.slice(0, maxTextLength)}` })
  }
}

/** Keeps no line, but reads every one. */
const logger = (self: Process) =>
  Logger.make(({ cause, message }) => {
    const text = `${Inspectable.toStringUnknown(message)} ${Cause.pretty(cause)}`
    look(self, "log", text)
    if (/nobody foresaw|failed unexpectedly/.test(text)) self.found.push({ kind: "crash", where: "handler", text })
  })

const tracer = (self: Process) =>
  Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      const attribute = span.attribute.bind(span)
      span.attribute = (key, value) => {
        look(self, "span", `${key}=${String(value)}`)
        attribute(key, value)
      }
      look(self, "span", options.name)
      return span
    }
  })

/** Layer that looks through every line of the log and every span. */
export const layer = (self: Process): Layer.Layer<never> =>
  Layer.mergeAll(
    Logger.layer([logger(self)]),
    Layer.succeed(Tracer.Tracer, tracer(self)),
    Layer.succeed(References.MinimumLogLevel, "All")
  )
