/** Runs every example in the documentation of the public declarations: what stands behind `// =>` must come out. */
import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { pathToFileURL } from "node:url"

const root = join(import.meta.dirname, "..")
const folders = ["packages/domain/src", "packages/client/src", "packages/server/src", "testbed/src"]

interface Example {
  readonly name: string
  readonly code: string
}

const examplesOf = (file: string): ReadonlyArray<Example> =>
  [...readFileSync(file, "utf8").matchAll(/\*\*Example\*\* \(([^)]+)\)\n \*\n \* ```ts\n([\s\S]*?) \* ```/g)].map(
    ([, title = "", body = ""]) => ({
      name: `${relative(root, file)}: ${title}`,
      code: body.split("\n").map((line) => line.replace(/^ \* ?/, "")).join("\n")
    })
  )

/** Turns `expression // => value`, the value on the same or the next line, into a comparison. */
const withComparisons = (code: string): string =>
  code.replaceAll(
    /^(?!\s*\/\/)(.*?\S)\s*\n?\s*\/\/ => (.*)$/gm,
    (_, expression: string, value: string) => {
      const declaration = /^(?:const|let) (\w+) =/.exec(expression)
      return declaration === null
        ? `results.push([${expression}, ${value}])`
        : `${expression}\nresults.push([${declaration[1]}, ${value}])`
    }
  )

const examples = folders.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => examplesOf(join(root, folder, file)))
)

describe("examples in the documentation", () => {
  const directory = join(root, ".temp/jsdoc")
  mkdirSync(directory, { recursive: true })

  it("are found", () => {
    assert.isAbove(examples.length, 5)
  })

  for (const [index, { code, name }] of examples.entries()) {
    it(`runs ${name}`, async () => {
      const file = join(directory, `example-${index}.ts`)
      writeFileSync(file, `export const results: Array<[unknown, unknown]> = []\n${withComparisons(code)}\n`)
      const { results }: { results: ReadonlyArray<readonly [unknown, unknown]> } = await import(
        pathToFileURL(file).href
      )
      for (const [actual, expected] of results) assert.deepStrictEqual(actual, expected)
      assert.strictEqual(results.length, code.match(/\/\/ => /g)?.length ?? 0)
    })
  }
})
