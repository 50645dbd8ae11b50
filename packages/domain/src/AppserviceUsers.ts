/**
 * The users of an appservice: its sender, and those in the user namespaces of its registration.
 *
 * @since 0.1.0
 */
import type { Registration } from "./Registration.ts"

/**
 * The users of an appservice on one homeserver.
 *
 * @category models
 * @since 0.1.0
 */
export interface AppserviceUsers {
  /** The user id of the appservice itself: `sender_localpart` on the homeserver. */
  readonly sender: string
  /** Checks whether the appservice may act as a user: its sender, or one in its `users` namespaces (C14). */
  readonly includes: (userId: string) => boolean
  /** The expressions of the registration that are no regular expressions here, and so match no user. */
  readonly unreadable: ReadonlyArray<string>
}

/** The spec's bound on a user id, in bytes. It also bounds what an expression has to search. */
const maxUserIdBytes = 255

const localpartPattern = /^[a-z0-9._=/+-]+$/

const encoder = new TextEncoder()

/**
 * Makes the id of a user; `undefined` where the localpart has other characters than the spec allows, or the id has
 * more than 255 bytes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const userId = (localpart: string, serverName: string): string | undefined => {
  const id = `@${localpart}:${serverName}`
  return localpartPattern.test(localpart) && encoder.encode(id).length <= maxUserIdBytes ? id : undefined
}

/**
 * Reads the name of the homeserver from a user id; `undefined` where it has none.
 *
 * @category accessors
 * @since 0.1.0
 */
export const serverNameOf = (userId: string): string | undefined => /^@[^:]*:([\w.:[\]-]{1,255})$/.exec(userId)?.[1]

/** Syntax of Python and Rust that JavaScript writes differently: inline flags at the start, named groups, and anchors. */
const toJavaScript = (expression: string): readonly [source: string, flags: string] => {
  const [, flags = "", rest = expression] = /^\(\?([ims]+)\)(.*)$/s.exec(expression) ?? []
  return [rest.replaceAll("(?P<", "(?<").replaceAll(/\\A/g, "^").replaceAll(/\\[Zz]/g, "$"), flags]
}

const compile = (expression: string): RegExp | undefined => {
  const [source, flags] = toJavaScript(expression)
  try {
    // Homeservers match from the start of the id, and not to its end: `@irc_.*` needs no anchor, and no server name.
    return new RegExp(`^(?:${source})`, flags)
  } catch {
    return undefined
  }
}

/**
 * Makes the users of a registration on the homeserver `serverName`.
 *
 * **Details**
 *
 * An expression matches from the start of a user id, as Synapse has it, whether it is `exclusive` or not. Ids of more
 * than 255 bytes belong to nobody.
 *
 * **Example** (Asking whether a user belongs to an appservice)
 *
 * ```ts
 * import { AppserviceUsers } from "@appservice-ping/domain"
 *
 * const users = AppserviceUsers.make(
 *   { sender_localpart: "ircbot", namespaces: { users: [{ regex: "@irc_.*", exclusive: true }] } },
 *   "matrix.example"
 * )
 *
 * users.includes("@irc_alice:matrix.example") // => true
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  registration: Pick<Registration, "sender_localpart" | "namespaces">,
  serverName: string
): AppserviceUsers => {
  const sender = `@${registration.sender_localpart}:${serverName}`
  const patterns: Array<RegExp> = []
  const unreadable: Array<string> = []
  for (const { regex } of registration.namespaces.users ?? []) {
    const pattern = compile(regex)
    if (pattern === undefined) unreadable.push(regex)
    else patterns.push(pattern)
  }
  return {
    sender,
    includes: (userId) =>
      userId === sender ||
      (encoder.encode(userId).length <= maxUserIdBytes && patterns.some((pattern) => pattern.test(userId))),
    unreadable
  }
}
