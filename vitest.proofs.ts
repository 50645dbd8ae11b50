/** The exhaustive proofs, which `npm run check` runs and `npm test` leaves out. */
import { defineConfig } from "vitest/config"
import workspace, { proofs, reportTo } from "./vitest.workspace.ts"

export default defineConfig({
  root: import.meta.dirname,
  ...(workspace.resolve === undefined ? {} : { resolve: workspace.resolve }),
  test: {
    name: "proofs",
    include: [proofs],
    passWithNoTests: false,
    ...reportTo("proofs.json")
  }
})
