/** What a set-up is, and the parts that most of them have. */
import type { Certificates } from "./certificates.ts"
import type { Fields, Site, Started } from "./Site.ts"

/** What all set-ups share. */
export interface Tools {
  readonly nginx: string
  readonly certificates: Certificates
}

/** How to call the doctor. */
export interface Call {
  readonly registration: string
  readonly homeserver: string
  readonly args?: ReadonlyArray<string>
  readonly env?: NodeJS.ProcessEnv
}

/** What the doctor has to say: patterns that its texts must fit. */
export interface Expected {
  readonly ok?: boolean
  /** The exit code. Default: 0 where all is well, 1 where not. */
  readonly code?: 0 | 1 | 2
  readonly actor: "operator" | "homeserver admin" | "network" | "nobody"
  readonly cause: RegExp
  readonly advice: RegExp
  readonly temporary?: boolean
  /** The status of single checks. */
  readonly checks?: { readonly [id: string]: "ok" | "failed" | "warning" | "skipped" }
}

/** One set-up. */
export interface Setup {
  readonly title: string
  readonly build: (site: Site, tools: Tools) => Promise<Call>
  readonly expected: Expected
}

/** Makes a set-up. */
export const setup = (
  title: string,
  expected: Expected,
  build: (site: Site, tools: Tools) => Promise<Call>
): Setup => ({ title, expected, build })

/** An appservice, and a homeserver that knows it: what is not said otherwise is as it should be. */
export const pair = async (
  site: Site,
  options: {
    /** What the appservice runs with. */
    readonly appservice?: Fields
    /** What the homeserver's copy says. */
    readonly homeserver?: Fields
    /** What the file says that the doctor is given. */
    readonly doctor?: Fields
    /** Puts something in front of the appservice. */
    readonly front?: (appservice: Started) => Promise<Started>
    readonly homeserverEnv?: NodeJS.ProcessEnv
  } = {}
) => {
  const appservice = await site.appservice(await site.registration(options.appservice ?? {}, "appservice.yaml"))
  const front = options.front === undefined ? appservice : await options.front(appservice)
  const copy = await site.registration({ url: front.origin, ...options.homeserver }, "homeserver.yaml")
  const homeserver = await site.homeserver(copy, { env: options.homeserverEnv ?? {} })
  const registration = await site.registration({ url: front.origin, ...options.doctor })
  return { registration, copy, homeserver: homeserver.origin, appservice: front.origin }
}

/** Puts something in front of the homeserver of a good pair. */
export const behind = async (site: Site, front: (homeserver: string) => Promise<Started>): Promise<Call> => {
  const { homeserver, registration } = await pair(site)
  return { registration, homeserver: (await front(homeserver)).origin }
}

/** Where nginx listens. */
export const listen = (port: number) => `listen 127.0.0.1:${port};`

/** Lets nginx hand on everything. */
export const pass = (origin: string, extra = "") => `location / { proxy_pass ${origin}; ${extra} }`
