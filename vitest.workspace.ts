import { join } from "node:path"
import { defineConfig } from "vitest/config"

const root = import.meta.dirname

/**
 * The test files of each project. `scripts/check.ts` reads it to fail a check in which a project ran nothing, because
 * Vitest itself only notices when all projects together are empty.
 */
export const projects = {
  domain: "packages/domain/test/**/*.test.ts",
  client: "packages/client/test/**/*.test.ts",
  server: "packages/server/test/**/*.test.ts",
  node: "packages/node/test/**/*.test.ts",
  doctor: "packages/doctor/test/**/*.test.ts",
  testbed: "testbed/test/**/*.test.ts",
  cli: "packages/cli/test/**/*.test.ts",
  examples: "examples/**/*.test.ts",
  scripts: "scripts/**/*.test.ts"
} as const

/**
 * The tests that go through everything there is: every pair of faults, every fault on both carriers, generated plans.
 * `npm test` leaves them to `npm run test:proofs`, because what it runs shows every rule and every fault once already.
 */
export const proofs = "testbed/test/proofs/**/*.test.ts"

// Source instead of dist: a class loaded twice is two classes, and a stale build must not make a test pass.
const alias = [
  {
    find: /^@appservice-ping\/(domain|client|server|node|doctor)$/,
    replacement: join(root, "packages/$1/src/index.ts")
  },
  { find: /^@appservice-ping\/testbed$/, replacement: join(root, "testbed/src/index.ts") },
  {
    find: /^@appservice-ping\/(domain|client|server|node|doctor)\/(?!package\.json$)(.+)$/,
    replacement: join(root, "packages/$1/src/$2.ts")
  },
  { find: /^@appservice-ping\/testbed\/(?!package\.json$)(.+)$/, replacement: join(root, "testbed/src/$1.ts") },
  { find: /^appservice-ping\/(?!package\.json$)(.+)$/, replacement: join(root, "packages/cli/src/$1.ts") }
]

const reportDir = process.env["VITEST_REPORT_DIR"]

/** Lets a run write its results to a file of this name, if `scripts/check.ts` asks for that. */
export const reportTo = (name: string) =>
  reportDir === undefined ? {} : { reporters: ["default", "json"], outputFile: { json: join(reportDir, name) } }

export default defineConfig({
  root,
  resolve: { alias },
  test: {
    passWithNoTests: false,
    ...reportTo("workspace.json"),
    projects: Object.entries(projects).map(([name, include]) => ({
      extends: true as const,
      test: { name, include: [include], exclude: [proofs] }
    }))
  }
})
