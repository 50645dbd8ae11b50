/** The users of an appservice. */
import type { Registration } from "@appservice-ping/domain/Registration"

const matches = (regex: string, text: string): boolean => {
  try {
    return new RegExp(`^(?:${regex})`).test(text)
  } catch {
    return false
  }
}

export const senderOf = ({ sender_localpart }: Registration, serverName: string): string =>
  `@${sender_localpart}:${serverName}`

/** Whether a user is the appservice's own bot, or in one of its namespaces. */
export const isInNamespaces = (registration: Registration, serverName: string, userId: string): boolean =>
  userId === senderOf(registration, serverName) ||
  (registration.namespaces.users ?? []).some(({ regex }) => matches(regex, userId))
