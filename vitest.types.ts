import { defineConfig } from "vitest/config"
import { reportTo } from "./vitest.workspace.ts"

const root = import.meta.dirname

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
    ...reportTo("types.json")
  }
})
