/** Where an appservice listens, as its registration says or the user. */
import * as StandIn from "@appservice-ping/doctor/StandIn"
import { plain } from "@appservice-ping/domain/PlainText"
import { targetOf } from "@appservice-ping/domain/Registration"
import { Result } from "effect"
import { type CommandFailure, wrongUsage } from "./CommandFailure.ts"
import type { RegistrationFile } from "./registrationFile.ts"

/** The flags that override the registration. */
export interface Override {
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/** Finds where to listen. */
export const placeOf = (
  { file, registration }: RegistrationFile,
  { host, port }: Override = {}
): Result.Result<StandIn.Place, CommandFailure> => {
  const target = targetOf(registration)
  if (target._tag !== "Http") {
    const problem = target._tag === "NotSet" ? "url is empty" : "url is no HTTP address"
    return port === undefined
      ? Result.fail(wrongUsage(`${plain(file)}: ${problem}; pass --port to say where to listen`))
      : Result.succeed({ host: host ?? "127.0.0.1", port, path: "" })
  }
  const { url } = target
  if (port === undefined && url.protocol === "https:") {
    return Result.fail(
      wrongUsage(
        `${
          plain(file)
        }: url is https, and this appservice speaks plain http behind a proxy; pass --host and --port to say where`
      )
    )
  }
  const place = StandIn.placeOf(url)
  return Result.succeed({ ...place, host: host ?? place.host, port: port ?? place.port })
}

/** Says what to pass where the url leads to another machine. */
export const notHere = (file: string, place: StandIn.Place): CommandFailure =>
  wrongUsage(
    `${plain(file)}: url leads to ${
      plain(place.host)
    }, which is no address of this machine; pass --host and --port to say where to listen`
  )
