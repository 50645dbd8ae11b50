/**
 * Runs the tests of the testbed with faults switched off: `scripts/faultsOff.ts` goes through all of them, and
 * `FAULT_OFF=tls:expired npx vitest run --config vitest.faultsOff.ts PATH` shows what one of them turns red.
 */
import { join } from "node:path"
import { defineConfig, type Plugin } from "vitest/config"
import workspace from "./vitest.workspace.ts"

const root = import.meta.dirname

const faultSwitch = JSON.stringify(join(root, "scripts/faultsOff/faultSwitch.ts"))
const decideSwitched = JSON.stringify(join(root, "scripts/faultsOff/decideSwitched.ts"))

interface Edit {
  readonly file: string
  readonly before: string
  readonly after: string
  readonly added: ReadonlyArray<string>
}

const edits: ReadonlyArray<Edit> = [
  {
    // The one place where a fault has a meaning.
    file: join(root, "testbed/src/fault/Fault.ts"),
    before: "export const actionOf = ",
    after: "const switchedActionOf = ",
    added: [
      `import { isOff } from ${faultSwitch}`,
      `import { Action as SwitchedAction } from ${JSON.stringify(join(root, "testbed/src/step/Action.ts"))}`,
      "export const actionOf: typeof switchedActionOf = (fault, circumstances) =>",
      "  isOff(fault, circumstances) ? SwitchedAction.Pass() : switchedActionOf(fault, circumstances)"
    ]
  },
  {
    // The one place that decides for an interpreter, and not for a test that wants to know what is right.
    file: join(root, "testbed/src/play/Session.ts"),
    before: "Decision.decide(",
    after: "decideSwitched(",
    added: [`import { decide as decideSwitched } from ${decideSwitched}`]
  }
]

/** Puts the switches in. */
const switchable: Plugin = {
  name: "faults-off",
  enforce: "pre",
  transform: {
    filter: { id: edits.map(({ file }) => file) },
    handler(code, id) {
      const edit = edits.find(({ file }) => file === id)
      if (edit === undefined) return undefined
      if (!code.includes(edit.before)) throw new Error(`${id} has no "${edit.before}"`)
      return [code.replaceAll(edit.before, edit.after), ...edit.added].join("\n")
    }
  }
}

export default defineConfig({
  root,
  plugins: [switchable],
  ...(workspace.resolve === undefined ? {} : { resolve: workspace.resolve }),
  test: {
    name: "faults-off",
    include: ["testbed/test/**/*.test.ts"],
    passWithNoTests: false,
    runner: "./scripts/faultsOff/SwitchRunner.ts",
    // What is switched off is so for a whole process.
    maxConcurrency: 1,
    maxWorkers: 2
  }
})
