/** Where the repository names rules: which file names which ids, in its text and as the start of a test's name. */
import { readdir, readFile } from "node:fs/promises"
import { join, relative, sep } from "node:path"

export interface Citations {
  /** From the root, with slashes. */
  readonly file: string
  readonly kind: "code" | "document" | "test"
  /** Every id in the file. */
  readonly ids: ReadonlySet<string>
  /** The ids that a test's name starts with. */
  readonly tested: ReadonlySet<string>
}

/** The rules themselves, and what is made of them. */
const leftOut = [/^packages\/domain\/src\/internal\/rules\//, /^docs\/rules\.md$/, /\/(?:dist|node_modules|\.cache)\//]

const kindOf = (file: string): Citations["kind"] | undefined => {
  if (leftOut.some((pattern) => pattern.test(file))) return undefined
  if (file.endsWith(".md")) return "document"
  if (!file.endsWith(".ts")) return undefined
  if (/^(?:packages\/[^/]+|testbed)\/test\/|^examples\/|\.test\.ts$/.test(file)) return "test"
  return /^(?:packages\/[^/]+|testbed)\/src\/|^(?:bench|scripts)\//.test(file) ? "code" : undefined
}

/** An id on its own, not a part of a name, a number or an escape; `C0` and `C1` without more are control characters. */
const id = /(?<![\w+#\\%/.-])[ACD][1-9]\d?(?!\w|\.\d)/g

const range = /(?<![\w+#\\%/.-])([ACD])([1-9]\d?)(?: to |–)\1([1-9]\d?)(?!\w)/g

const ofRanges = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(range)].flatMap(([, letter = "", from, to]) =>
    Array.from({ length: Math.max(Number(to) - Number(from) + 1, 0) }, (_, index) => `${letter}${Number(from) + index}`)
  )

/** A text in a test that starts with ids: a name, or the id in a table that names are made of. */
const testName = /["'`]((?:[ACD][1-9]\d?(?:, | and | )?)+)(?=["'`]|(?<= )\S)/g

const idsOf = (
  text: string
): ReadonlyArray<string> => [...[...text.matchAll(id)].map(([found]) => found), ...ofRanges(text)]

const roots = ["packages", "testbed", "examples", "bench", "scripts", "docs"]

const filesOf = async (root: string): Promise<ReadonlyArray<string>> => {
  const below = await Promise.all(roots.map(async (folder) => {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).map((entry) =>
      relative(root, join(entry.parentPath, entry.name)).split(sep).join("/")
    )
  }))
  const top = await readdir(root)
  return [...below.flat(), ...top.filter((name) => name.endsWith(".md"))].toSorted()
}

/** Every file that names a rule. */
export const readCitations = async (root: string): Promise<ReadonlyArray<Citations>> => {
  const found = (await filesOf(root)).flatMap((file) => {
    const kind = kindOf(file)
    return kind === undefined ? [] : [{ file, kind }]
  })
  const read = await Promise.all(found.map(async ({ file, kind }): Promise<Citations> => {
    const text = await readFile(join(root, file), "utf8")
    const tested = kind === "test" ? [...text.matchAll(testName)].flatMap(([, ids = ""]) => idsOf(ids)) : []
    return { file, kind, ids: new Set(idsOf(text)), tested: new Set(tested) }
  }))
  return read.filter(({ ids }) => ids.size > 0)
}
