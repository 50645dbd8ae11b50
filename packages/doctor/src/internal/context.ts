/** The context of a diagnosis beside the error: everything that the checks know. */
import type { Context } from "@appservice-ping/domain/Diagnosis"
import type { ServerVersion } from "@appservice-ping/domain/PingUnsupported"
import type { Evidence, Subject } from "../Evidence.ts"

/** The homeserver's name and version. */
export const serverOf = ({ versions }: Partial<Evidence>): ServerVersion | undefined =>
  versions?._tag === "Supported"
    ? versions.server
    : versions?.error._tag === "PingUnsupported"
    ? versions.error.server
    : undefined

/** The context of everything that is diagnosed. */
export const contextOf = (evidence: Partial<Evidence>, { homeserver, url }: Subject): Context => ({
  url: url ?? null,
  homeserver: homeserver.href,
  id: evidence.registration?._tag === "Read" ? evidence.registration.id : undefined,
  server: serverOf(evidence),
  elapsed: evidence.ping?._tag === "Failed" ? evidence.ping.elapsed : undefined
})
