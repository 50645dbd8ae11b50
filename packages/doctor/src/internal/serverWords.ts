/** How homeservers learn of a registration, each in its own words. */
import type { ServerVersion } from "@appservice-ping/domain/PingUnsupported"

/** What an admin does with a registration. */
export interface ServerWords {
  /** What the server is called in a sentence. */
  readonly name: string
  /** How it reads a registration that has changed. */
  readonly reload: string
  /** Where it has the registrations that it knows. */
  readonly lookUp: string
}

const files = (name: string, setting: string): ServerWords => ({
  name,
  reload: `give ${name} the file and restart it, because it reads the files listed under ${setting} once, at start`,
  lookUp: `check that ${setting} in the configuration of ${name} lists the file`
})

const adminRoom = (name: string, register: string, list: string): ServerWords => ({
  name,
  reload:
    `register the file again in the admin room of ${name} (${register}), which takes effect at once and needs no restart`,
  lookUp: `list the registrations in the admin room of ${name} (${list})`
})

const unknown: ServerWords = {
  name: "the homeserver",
  reload:
    "give the homeserver the file again: some read it once, at start, and need a restart, and others take it in their admin room",
  lookUp: "check that the homeserver has the file"
}

const conduitFamily = (name: string): ServerWords =>
  adminRoom(name, "!admin appservices register", "!admin appservices list-registered")

const known: ReadonlyArray<readonly [RegExp, ServerWords]> = [
  [/^synapse\b/i, files("Synapse", "app_service_config_files")],
  [/^dendrite\b/i, files("Dendrite", "app_service_api.config_files")],
  [/^tuwunel\b/i, conduitFamily("Tuwunel")],
  [/^continuwuity\b/i, conduitFamily("continuwuity")],
  [/^conduwuit\b/i, conduitFamily("conduwuit")],
  [/^conduit\b/i, adminRoom("Conduit", "register-appservice", "list-appservices")]
]

/** The words of a server; neutral ones where it is not known. */
export const wordsOf = (server: ServerVersion | undefined): ServerWords =>
  known.find(([pattern]) => server !== undefined && pattern.test(server.name))?.[1] ?? unknown
