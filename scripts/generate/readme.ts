import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Generator } from "./Generator.ts"

/** A marker, and the code block that stands below it: `<!-- example: examples/client.ts -->`. */
const block = /<!-- example: (\S+) -->\n\n```ts\n[\s\S]*?```/g

/** What a reader needs of an example file: what stands between its `// #region` lines, or all of it. */
const excerpt = (source: string): string =>
  /\/\/ #region\n([\s\S]*?)\/\/ #endregion/.exec(source)?.[1]?.trimEnd() ?? source.trimEnd()

/** The README, its examples taken from files that are compiled and run by the tests. */
export const readme: Generator = async (root) => {
  const text = await readFile(join(root, "README.md"), "utf8")
  const paths = [...text.matchAll(block)].flatMap(([, path]) => path === undefined ? [] : [path])
  const sources = new Map(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(root, path), "utf8")] as const))
  )
  const content = text.replaceAll(
    block,
    (_, path: string) => `<!-- example: ${path} -->\n\n\`\`\`ts\n${excerpt(sources.get(path) ?? "")}\n\`\`\``
  )
  return [{ path: "README.md", content }]
}
