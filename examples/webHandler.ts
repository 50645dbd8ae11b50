import type { Registration } from "@appservice-ping/domain"
import { HttpMount } from "@appservice-ping/server"
import { appservice, homeserver } from "./server.ts"

// `handler` is a `(request: Request) => Promise<Response>`: `Deno.serve(handler)`, `Bun.serve({ fetch: handler })`,
// Hono, a worker. `dispose` releases what it holds.
export const homeserverHandler = (registrations: ReadonlyArray<Registration.Registration>) =>
  HttpMount.homeserverWebHandler(homeserver(registrations))

export const appserviceHandler = (registration: Registration.Registration) =>
  HttpMount.appserviceWebHandler(appservice(registration))
