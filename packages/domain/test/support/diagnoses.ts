import * as ConnectionFailure from "@appservice-ping/domain/ConnectionFailure"
import { type Diagnosis } from "@appservice-ping/domain/Diagnosis"
import * as PingError from "@appservice-ping/domain/PingError"
import * as TransportError from "@appservice-ping/domain/TransportError"

/** The endpoint that the errors of the client name. */
export const homeserverUrl = "https://matrix.example/_matrix/client/v1/appservice/telegram/ping"

/** The appservice answered the homeserver with this. */
export const badStatus = (status: number, body = ""): PingError.BadStatus => new PingError.BadStatus({ status, body })

/** The homeserver's connection failed, and it says this. */
export const failed = (error: string): PingError.ConnectionFailed => new PingError.ConnectionFailed({ error })

/** The client's own connection failed. */
export const unreachable = (kind: ConnectionFailure.Kind, text = "x"): TransportError.HomeserverUnreachable =>
  new TransportError.HomeserverUnreachable({
    url: homeserverUrl,
    failure: new ConnectionFailure.ConnectionFailure({ kind, text })
  })

/** Something answered the client that is no homeserver. */
export const notHomeserver = (status: number, body = "<html></html>"): TransportError.NotHomeserver =>
  new TransportError.NotHomeserver({ url: homeserverUrl, status, body })

/** An errcode outside the ping's own. */
export const other = (errcode: string, status: number): PingError.OtherErrcode =>
  new PingError.OtherErrcode({ errcode, status })

/** The body of a Matrix error. */
export const json = (errcode: string, error = ""): string => JSON.stringify({ errcode, error })

/** The page of a proxy. */
export const page = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>"

/** One row: an error, and what must be said of it. */
export type Expected = readonly [
  name: string,
  error: PingError.PingError | TransportError.TransportError,
  actor: Diagnosis["actor"],
  temporary: boolean,
  says: RegExp
]

/** All that a diagnosis says. */
export const textOf = ({ advice, cause }: Diagnosis): string => `${cause} ${advice}`
