import type { Generator } from "./Generator.ts"

/**
 * The OpenAPI documents under `docs/openapi/`, one for each HttpApi contract of `packages/domain`.
 *
 * A contract is imported from `../../packages/domain/src/`, not from `@appservice-ping/domain`: that name leads to
 * `dist`, and a drift check against a stale build would pass.
 */
export const openapi: Generator = async () => []
