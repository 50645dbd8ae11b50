/** Log lines on stderr, one for each entry. */
import { plain } from "@appservice-ping/domain/PlainText"
import { Cause, Layer, Logger, References } from "effect"

const textOf = (message: unknown): string => {
  if (Array.isArray(message)) return message.map(textOf).join(" ")
  return message instanceof Error ? message.message : String(message)
}

const toStderr = Logger.make(({ cause, date, logLevel, message }) => {
  const failure = Cause.prettyErrors(cause).map((error) => error.message).join("; ")
  const text = failure === "" ? textOf(message) : `${textOf(message)}: ${failure}`
  process.stderr.write(`${date.toISOString()} ${logLevel.toUpperCase()} ${plain(text)}\n`)
})

/** Layer that logs warnings and errors. */
export const layer: Layer.Layer<never> = Layer.merge(
  Logger.layer([toStderr]),
  Layer.succeed(References.MinimumLogLevel, "Warn")
)
