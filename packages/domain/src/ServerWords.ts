/**
 * What each homeserver calls what an admin does with it: which file, which command, and whether a restart is needed.
 *
 * @since 0.1.0
 */
import type { ServerVersion } from "./PingUnsupported.ts"

/**
 * The words of one homeserver.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerWords {
  /** The name of the software, or "the homeserver". */
  readonly name: string
  /** How a registration, new or changed, becomes the one that is used. */
  readonly reload: string
  /** Whether it says of a user's token that it does not know it. */
  readonly mistakesUsers: boolean
}

const byFile = (name: string, file: string, key: string): ServerWords => ({
  name,
  reload:
    `Check that ${key} in ${file} lists the current registration file, and restart ${name}: it reads the file only when it starts.`,
  mistakesUsers: false
})

const byCommand = (name: string, command: string): ServerWords => ({
  name,
  reload:
    `Register the current file in the admin room of ${name}: send ${command} with the file's text in a code block. It takes effect at once; an older one with the same id is unregistered first.`,
  mistakesUsers: true
})

const known: ReadonlyArray<readonly [name: RegExp, words: ServerWords]> = [
  [/synapse/i, byFile("Synapse", "homeserver.yaml", "app_service_config_files")],
  [/dendrite/i, byFile("Dendrite", "dendrite.yaml", "app_service_api.config_files")],
  [/tuwunel/i, byCommand("Tuwunel", "\"!admin appservices register\"")],
  [/continuwuity/i, byCommand("continuwuity", "\"!admin appservices register\"")],
  [/conduwuit/i, byCommand("conduwuit", "\"!admin appservices register\"")],
  [/grapevine/i, byCommand("Grapevine", "\"register-appservice\" to the server's user")],
  [/conduit/i, byCommand("Conduit", "\"register-appservice\" to the server's user")]
]

const neutral: ServerWords = {
  name: "the homeserver",
  reload:
    "Let the homeserver load the current registration file: most read it only when they start, so restart it; others take it by a command in their admin room, at once.",
  mistakesUsers: false
}

/**
 * The words of a homeserver; of one that is not known, those that fit them all.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (server: ServerVersion | undefined): ServerWords =>
  known.find(([name]) => server !== undefined && name.test(server.name))?.[1] ?? neutral
