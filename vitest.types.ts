import { join } from "node:path"
import { defineConfig } from "vitest/config"

const root = import.meta.dirname
const reportDir = process.env["VITEST_REPORT_DIR"]

export default defineConfig({
  root,
  test: {
    name: "types",
    include: [],
    passWithNoTests: false,
    typecheck: {
      enabled: true,
      only: true,
      include: ["packages/*/test/**/*.test-d.ts", "testbed/test/**/*.test-d.ts"],
      tsconfig: "./tsconfig.tests.json"
    },
    ...(reportDir === undefined
      ? {}
      : { reporters: ["default", "json"], outputFile: { json: join(reportDir, "types.json") } })
  }
})
