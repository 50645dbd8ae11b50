/** The tests that a mutation can turn red: those next to the code of a slice, which `scripts/mutation/run.ts` names. */
import { defineConfig } from "vitest/config"
import { isSliceName, slices } from "./scripts/mutation/slices.ts"
import workspace from "./vitest.workspace.ts"

const name = process.env["MUTATION_SLICE"] ?? ""
if (!isSliceName(name)) throw new Error(`MUTATION_SLICE is none of ${Object.keys(slices).join(", ")}`)

export default defineConfig({
  root: import.meta.dirname,
  ...(workspace.resolve === undefined ? {} : { resolve: workspace.resolve }),
  test: {
    name: "mutation",
    include: [...slices[name].tests],
    passWithNoTests: false,
    // Changed code runs beside other work, and what never ends is stopped by Stryker.
    testTimeout: 20_000
  }
})
