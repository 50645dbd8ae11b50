/** The exhaustive proofs, which `npm run check` runs and `npm test` leaves out. */
import { join } from "node:path"
import { defineConfig } from "vitest/config"
import workspace, { proofs } from "./vitest.workspace.ts"

const reportDir = process.env["VITEST_REPORT_DIR"]

export default defineConfig({
  root: import.meta.dirname,
  ...(workspace.resolve === undefined ? {} : { resolve: workspace.resolve }),
  test: {
    name: "proofs",
    include: [proofs],
    passWithNoTests: false,
    ...(reportDir === undefined
      ? {}
      : { reporters: ["default", "json"], outputFile: { json: join(reportDir, "proofs.json") } })
  }
})
