// Vitest and editors only discover this name; without it a plain `vitest` runs with no projects and still passes.
export { default } from "./vitest.workspace.ts"
