/** The routing table of a contract: derived from its endpoints, so that no path is written twice. */
import { HttpApi, type HttpApiEndpoint, type HttpApiGroup } from "effect/http-api"

interface Route {
  readonly identifier: string
  readonly method: string
  readonly path: Path
  readonly segments: ReadonlyArray<string>
}

export type Params = Readonly<Record<string, string>>

export type Match =
  | { readonly _tag: "Found"; readonly identifier: string; readonly params: Params }
  | { readonly _tag: "WrongMethod"; readonly allowed: ReadonlyArray<string> }
  | { readonly _tag: "NotFound" }

export type Path = `/${string}`

export interface Routes {
  readonly paths: ReadonlyArray<Path>
  readonly match: (method: string, path: string) => Match
}

/** A segment that is not valid percent-encoding is taken as it is: it then equals no id, and a stranger learns nothing. */
const decode = (segment: string): string => {
  if (!segment.includes("%")) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

const matchSegments = (pattern: ReadonlyArray<string>, segments: ReadonlyArray<string>): Params | undefined => {
  if (pattern.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (let i = 0; i < pattern.length; i++) {
    const expected = pattern[i] ?? ""
    const segment = segments[i] ?? ""
    if (expected.startsWith(":")) params[expected.slice(1)] = segment
    else if (expected !== segment) return undefined
  }
  return params
}

export const fromApi = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
): Routes => {
  const routes: Array<Route> = []
  HttpApi.reflect(api, {
    onGroup() {},
    onEndpoint({ endpoint }: { readonly endpoint: HttpApiEndpoint.Top }) {
      routes.push({
        identifier: endpoint.identifier,
        method: endpoint.method,
        path: `/${endpoint.path.slice(1)}`,
        segments: endpoint.path.split("/")
      })
    }
  })
  return {
    paths: [...new Set(routes.map((route) => route.path))],
    match(method, path) {
      const segments = path.split("/").map(decode)
      const allowed: Array<string> = []
      for (const route of routes) {
        const params = matchSegments(route.segments, segments)
        if (params === undefined) continue
        // A server answers HEAD wherever it answers GET; the mount point leaves out the body.
        if (route.method === method || (route.method === "GET" && method === "HEAD")) {
          return { _tag: "Found", identifier: route.identifier, params }
        }
        allowed.push(route.method)
      }
      return allowed.length === 0 ? { _tag: "NotFound" } : { _tag: "WrongMethod", allowed }
    }
  }
}
