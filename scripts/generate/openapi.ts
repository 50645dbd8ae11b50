import { OpenApi } from "effect/http-api"
import { AccountApi } from "../../packages/domain/src/AccountApi.ts"
import { AppserviceApi } from "../../packages/domain/src/AppserviceApi.ts"
import { HomeserverApi } from "../../packages/domain/src/HomeserverApi.ts"
import type { Generator } from "./Generator.ts"

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1).map(([key, member]) => [key, sorted(member)])
  )
}

// The order of keys says nothing in JSON, and an order of its own keeps an update of Effect out of the diff.
const render = (document: OpenApi.OpenAPISpec): string => `${JSON.stringify(sorted(document), null, 2)}\n`

/**
 * The OpenAPI documents under `docs/openapi/`, one for each HttpApi contract.
 *
 * A contract is imported from the source, such as `../../packages/domain/src/`, not from `@appservice-ping/domain`:
 * that name leads to `dist`, and a drift check against a stale build would pass.
 */
export const openapi: Generator = async () => {
  // Loaded when it runs: what it imports may have to be generated first.
  const { ControlApi } = await import("../../testbed/src/control/ControlApi.ts")
  return [
    { path: "docs/openapi/client-server.json", content: render(OpenApi.fromApi(HomeserverApi)) },
    { path: "docs/openapi/bridge-start.json", content: render(OpenApi.fromApi(AccountApi)) },
    { path: "docs/openapi/application-service.json", content: render(OpenApi.fromApi(AppserviceApi)) },
    { path: "docs/openapi/testbed-control.json", content: render(OpenApi.fromApi(ControlApi)) }
  ]
}
