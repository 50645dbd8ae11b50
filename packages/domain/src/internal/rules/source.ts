/** Short forms of the sources that rules name. */
import type { Source } from "../../Rule.ts"

export const cs = (fragment: string): Source => ({ _tag: "Spec", page: "client-server-api/", fragment })

export const as = (fragment: string): Source => ({ _tag: "Spec", page: "application-service-api/", fragment })

export const root = (fragment: string): Source => ({ _tag: "Spec", page: "", fragment })

/** The ping of the client-server API. */
export const ping: Source = as("post_matrixclientv1appserviceappserviceidping")

/** The ping of the application service API. */
export const outgoingPing: Source = as("post_matrixappv1ping")

export const msc = (number: number): Source => ({ _tag: "Proposal", msc: number })

/** The proposal of the ping. */
export const msc2659: Source = msc(2659)

export const http = (section: string): Source => ({ _tag: "Rfc", rfc: 9110, section })

export const issue = (number: number): Source => ({ _tag: "Issue", issue: number })

export const decision = (why: string): Source => ({ _tag: "Decision", why })
