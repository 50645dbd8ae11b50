/** What is mutated, and which tests have to notice. */
export interface Slice {
  /** The files that are mutated where the command line names none. */
  readonly mutate: ReadonlyArray<string>
  /** The tests next to them. */
  readonly tests: ReadonlyArray<string>
}

export const slices = {
  domain: {
    mutate: ["packages/domain/src/**/*.ts", "!**/index.ts", "!packages/domain/src/internal/rules/**"],
    tests: ["packages/domain/test/**/*.test.ts"]
  },
  server: {
    mutate: ["packages/server/src/**/*.ts", "!**/index.ts"],
    tests: ["packages/server/test/**/*.test.ts", "testbed/test/rules/**/*.test.ts"]
  },
  plan: {
    mutate: ["testbed/src/plan/**/*.ts", "testbed/src/step/Delay.ts"],
    tests: ["testbed/test/{plan,step,fault,file}/**/*.test.ts"]
  }
} as const satisfies { readonly [name: string]: Slice }

export type SliceName = keyof typeof slices

export const isSliceName = (name: string): name is SliceName => Object.hasOwn(slices, name)
