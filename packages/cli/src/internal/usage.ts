/** Says in a line or two what was wrong with a call. */
import { plain } from "@appservice-ping/domain/PlainText"
import type { CliError } from "effect/cli"
import { type CommandFailure, wrongUsage } from "./CommandFailure.ts"

const commands: { readonly [parent: string]: string } = {
  "appservice-ping": "homeserver, appservice, ping, doctor, watch, scenario or proxy",
  scenario: "run, list, show or replay"
}

/**
 * A value of the command line is repeated nowhere: one in the wrong place may be a token.
 */
const describe = (error: CliError.CliError): string => {
  switch (error._tag) {
    case "MissingOption":
      return `--${error.option} is required`
    case "MissingArgument":
      return `${error.argument} is required`
    case "InvalidValue":
      return error.value === ""
        ? `--${error.option} needs a value`
        : error.expected.startsWith("at ")
        ? `--${error.option}: ${error.expected}, but there are ${error.value}`
        : `--${error.option}: expected ${error.expected.replace(/^Expected:? /, "")}`
    case "UnexpectedArgument":
      return "there is a value that belongs to no option; an option with several values is repeated"
    case "UnrecognizedOption": {
      const [suggestion] = error.suggestions
      const name = plain(error.option, 40)
      return `there is no option ${name}${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`
    }
    case "UnknownSubcommand": {
      const [suggestion] = error.suggestions
      return `there is no such command${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`
    }
    case "ValidationError":
      return error.message
    case "ShowHelp":
      return error.errors[0] === undefined
        ? `a command is missing: ${commands[error.commandPath.at(-1) ?? ""] ?? "see the help"}`
        : describe(error.errors[0])
    case "DuplicateOption":
    case "UserError":
      return "the call could not be understood"
  }
}

/** Turns an error of the command line into the two lines that the user sees. */
export const fromCliError = (error: CliError.CliError): CommandFailure => {
  const path = error._tag === "ShowHelp" ? error.commandPath : ["appservice-ping"]
  return wrongUsage(`${path.join(" ")}: ${describe(error)}`, `See ${path.join(" ")} --help`)
}
