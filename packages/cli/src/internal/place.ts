/** Where an appservice listens, as its registration says or the user. */
import { hostOf, portOf } from "@appservice-ping/domain/AppserviceUrl"
import { urlOf } from "@appservice-ping/domain/Registration"
import { Result } from "effect"
import { type CommandFailure, wrongUsage } from "./CommandFailure.ts"
import type { RegistrationFile } from "./registrationFile.ts"
import { plain } from "./text.ts"

/** An address to listen on, and the path under which the pings arrive. */
export interface Place {
  readonly host: string
  readonly port: number
  /** The path of the registration's url (A8). */
  readonly path: string
}

/** What the user says instead of the registration. */
export interface Override {
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/** The codes of a host that is not this machine: only an attempt to listen tells. */
const elsewhereCodes: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN"])

/** Tells whether an attempt to listen failed because the address is not one of this machine. */
export const isElsewhere = ({ code }: { readonly code: string }): boolean => elsewhereCodes.has(code)

/** Finds where to listen. */
export const placeOf = (
  { file, registration }: RegistrationFile,
  { host, port }: Override = {}
): Result.Result<Place, CommandFailure> => {
  const text = urlOf(registration)
  const url = text === undefined ? null : URL.parse(text)
  if (url === null) {
    return port === undefined
      ? Result.fail(wrongUsage(`${plain(file)}: url is empty; pass --port to say where to listen`))
      : Result.succeed({ host: host ?? "127.0.0.1", port, path: "" })
  }
  if (port === undefined && url.protocol === "https:") {
    return Result.fail(
      wrongUsage(
        `${
          plain(file)
        }: url is https, and this appservice speaks plain http behind a proxy; pass --host and --port to say where`
      )
    )
  }
  return Result.succeed({ host: host ?? hostOf(url), port: port ?? portOf(url), path: url.pathname })
}

/** Tells what to pass where the url leads to another machine. */
export const notHere = (file: string, place: Place): CommandFailure =>
  wrongUsage(
    `${plain(file)}: url leads to ${
      plain(place.host)
    }, which is no address of this machine; pass --host and --port to say where to listen`
  )
