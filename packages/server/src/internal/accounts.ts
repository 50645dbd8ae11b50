/** What a bridge asks before it pings: `/register` and `/account/whoami`, for appservices alone (D12). */
import { applicationServiceType } from "@appservice-ping/domain/AccountApi"
import { type AppserviceUsers, userId as makeUserId } from "@appservice-ping/domain/AppserviceUsers"
import { BadJson, Forbidden, OtherErrcode } from "@appservice-ping/domain/PingError"
import { Effect } from "effect"
import type { make as makeCaller } from "./caller.ts"
import * as JsonBody from "./jsonBody.ts"
import type { Input } from "./serve.ts"

export interface AccountsOptions {
  readonly caller: ReturnType<typeof makeCaller>
  readonly serverName: string
  readonly maxBodyBytes: number
  readonly maxRegisteredUsers: number
}

const refused = (errcode: string, error: string): OtherErrcode => new OtherErrcode({ errcode, status: 400, error })

const usernameOf = Effect.fnUntraced(function*(body: JsonBody.JsonObject) {
  const { type, username } = body
  if (type !== undefined && typeof type !== "string") return yield* new BadJson({ error: "type must be a string" })
  if (type !== applicationServiceType) {
    return yield* new Forbidden({
      error: `Only appservices register users here; send the type ${applicationServiceType}`
    })
  }
  if (username === undefined) return yield* refused("M_MISSING_PARAM", "Missing username: the localpart of the user")
  return typeof username === "string" ? username : yield* new BadJson({ error: "username must be a string" })
})

const exclusive = (users: AppserviceUsers, serverName: string): OtherErrcode =>
  refused(
    "M_EXCLUSIVE",
    `The user is neither ${users.sender} nor in the user namespaces of the registration; the name of this homeserver is ${serverName}`
  )

export const make = ({ caller, maxBodyBytes, maxRegisteredUsers, serverName }: AccountsOptions) => {
  // In the order in which they came. Of too many the oldest is forgotten: it could then be registered once more.
  const registered = new Set<string>()
  const add = (userId: string): void => {
    registered.add(userId)
    for (const oldest of registered) {
      if (registered.size <= maxRegisteredUsers) return
      registered.delete(oldest)
    }
  }

  const register = Effect.fnUntraced(function*(input: Input) {
    const { users } = yield* caller.authenticate(input)
    const username = yield* usernameOf(
      yield* Effect.fromResult(JsonBody.object(yield* input.request.body(maxBodyBytes)))
    )
    const userId = makeUserId(username, serverName)
    if (userId === undefined) {
      return yield* refused(
        "M_INVALID_USERNAME",
        "A username has the characters a-z, 0-9 and ._=-/+ alone, and not too many"
      )
    }
    if (!users.includes(userId)) return yield* exclusive(users, serverName)
    if (registered.has(userId)) return yield* refused("M_USER_IN_USE", "The user is registered already")
    add(userId)
    return { user_id: userId }
  })

  const whoami = Effect.fnUntraced(function*(input: Input) {
    const { userId } = yield* caller.authenticateAs(input)
    return { user_id: userId }
  })

  return { register, registerR0: register, whoami, whoamiR0: whoami }
}
