/** Which appservice a request comes from, and which user it acts as: C1 to C4, C14 and C26, in the order of D5. */
import { type AppserviceUsers, make as makeUsers, serverNameOf } from "@appservice-ping/domain/AppserviceUsers"
import type { Deadline } from "@appservice-ping/domain/Deadline"
import { Forbidden, MissingToken, OtherErrcode, UnknownToken } from "@appservice-ping/domain/PingError"
import type { Registration } from "@appservice-ping/domain/Registration"
import * as Token from "@appservice-ping/domain/Token"
import { isAtLeast, type Versions } from "@appservice-ping/domain/Versions"
import { Effect, type Redacted, Result } from "effect"
import type { AppserviceRegistry } from "../homeserver/AppserviceRegistry.ts"
import type { Input } from "./serve.ts"

/** An appservice that has shown its `as_token`. */
export interface AppserviceCaller {
  readonly registration: Registration
  readonly users: AppserviceUsers
}

/** The header comes first; the deprecated query parameter counts only without one (C1), and not if two differ. */
const credential = (input: Input): Result.Result<Redacted.Redacted, MissingToken> => {
  const header = Token.fromAuthorization(input.request.header("authorization"))
  if (header !== undefined) return Result.succeed(header)
  const [first, ...others] = Token.fromQuery(input.query)
  if (first === undefined) {
    return Result.fail(
      new MissingToken({ error: "Missing access token; send it as an Authorization: Bearer header" })
    )
  }
  return others.every((other) => Token.equals(first, other))
    ? Result.succeed(first)
    : Result.fail(
      new MissingToken({ error: "Two different access tokens; send one, as an Authorization: Bearer header" })
    )
}

export interface CallerOptions {
  readonly registry: AppserviceRegistry["Service"]
  readonly serverName: string
  readonly versions: Versions
  /** Of the registry. */
  readonly deadline: Deadline
}

const tooSlow = Effect.andThen(
  Effect.logError("The registry did not identify a token in time"),
  Effect.fail(new OtherErrcode({ errcode: "M_UNKNOWN", status: 500, error: "Internal server error" }))
)

/** Says what to set: most often the bridge and the homeserver have two names for one server. */
const notItsUser = (userId: string, users: AppserviceUsers, serverName: string): Forbidden => {
  const other = serverNameOf(userId)
  return new Forbidden({
    error: other === undefined || other === serverName
      ? `The user_id is neither ${users.sender} nor in the user namespaces of the registration; the name of this homeserver is ${serverName}`
      : `The user_id is on ${other}, but the name of this homeserver is ${serverName}; set the homeserver's name in the configuration of the bridge to ${serverName}, or that of this homeserver to ${other}`
  })
}

/** Makes the two ways to authenticate a request of an appservice. */
export const make = ({ deadline, registry, serverName, versions }: CallerOptions) => {
  const knowsDevices = isAtLeast(versions, 1, 17)
  const known = new WeakMap<Registration, AppserviceUsers>()
  const usersOf = (registration: Registration): AppserviceUsers => {
    const found = known.get(registration) ?? makeUsers(registration, serverName)
    known.set(registration, found)
    return found
  }

  /** The appservice of the token. */
  const authenticate = Effect.fnUntraced(function*(input: Input) {
    const token = yield* Effect.fromResult(credential(input))
    const caller = yield* deadline.within(Effect.suspend(() => registry.identify(token)), tooSlow)
    switch (caller._tag) {
      case "Unknown":
        return yield* new UnknownToken({ error: "Unknown access token", soft_logout: false })
      case "User":
        return yield* new Forbidden({ error: "The access token belongs to a user, not to an appservice" })
      case "Appservice":
        return { registration: caller.registration, users: usersOf(caller.registration) }
    }
  })

  /** The appservice of the token, and the user that it asks to be: `user_id`, or its sender. */
  const authenticateAs = Effect.fnUntraced(function*(input: Input) {
    const caller = yield* authenticate(input)
    const userIds = input.query.getAll("user_id").filter((userId) => userId !== "")
    const foreign = userIds.find((userId) => !caller.users.includes(userId))
    if (foreign !== undefined) return yield* notItsUser(foreign, caller.users, serverName)
    // This homeserver has no devices, so none is known.
    if (knowsDevices && input.query.has("device_id")) {
      return yield* new OtherErrcode({ errcode: "M_UNKNOWN_DEVICE", status: 400, error: "Unknown device_id" })
    }
    return { ...caller, userId: userIds[0] ?? caller.users.sender }
  })

  return { authenticate, authenticateAs }
}
