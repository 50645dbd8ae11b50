/**
 * Writes every generated file of the repository, or, with `--check`, names the ones that are out of date and fails.
 *
 * Generators read source, never `dist`, so that they run on a checkout that has not been built.
 * To add one: write a `Generator` in `scripts/generate/` and list it in `generators`. Names on the command line restrict
 * the run to those generators.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { barrels } from "./generate/barrels.ts"
import { clientTable } from "./generate/clientTable.ts"
import { doctorTable } from "./generate/doctorTable.ts"
import { faultCatalogue } from "./generate/faultCatalogue.ts"
import { faultKinds } from "./generate/faultKinds.ts"
import { faultTables } from "./generate/faultTables.ts"
import type { GeneratedFile, Generator } from "./generate/Generator.ts"
import { jsonSchema } from "./generate/jsonSchema.ts"
import { limits } from "./generate/limits.ts"
import { openapi } from "./generate/openapi.ts"
import { peerLists } from "./generate/peerLists.ts"
import { readme } from "./generate/readme.ts"
import { rules } from "./generate/rules.ts"

const root = join(import.meta.dirname, "..")

const generators: { readonly [name: string]: Generator } = {
  faultKinds,
  peerLists,
  barrels,
  jsonSchema,
  openapi,
  readme,
  limits,
  faultCatalogue,
  rules,
  faultTables,
  doctorTable,
  clientTable
}

const readIfPresent = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, "utf8")
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined
    throw cause
  }
}

const isDrifted = async (file: GeneratedFile): Promise<boolean> =>
  (await readIfPresent(join(root, file.path))) !== file.content

const write = async (file: GeneratedFile): Promise<void> => {
  const target = join(root, file.path)
  await mkdir(dirname(target), { recursive: true })
  await writeFile(target, file.content)
}

const main = async (args: ReadonlyArray<string>): Promise<number> => {
  const names = args.filter((arg) => arg !== "--check")
  const unknown = names.filter((name) => generators[name] === undefined)
  if (unknown.length > 0) {
    console.error(`Unknown argument: ${unknown.join(" ")}. Usage: node scripts/generate.ts [--check] [NAME...]`)
    console.error(`Names: ${Object.keys(generators).join(", ")}; all of them if none is given`)
    return 2
  }
  const chosen = Object.entries(generators).filter(([name]) => names.length === 0 || names.includes(name))
  const files = (await Promise.all(chosen.map(([, generator]) => generator(root)))).flat()
  const drift = await Promise.all(files.map(isDrifted))
  const drifted = files.filter((_, index) => drift[index])

  if (args.includes("--check")) {
    for (const file of drifted) console.error(`${file.path} is out of date`)
    if (drifted.length > 0) console.error("Run `npm run generate` and commit the result.")
    return drifted.length === 0 ? 0 : 1
  }
  await Promise.all(drifted.map(write))
  for (const file of drifted) console.log(`wrote ${file.path}`)
  return 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  // What a generator refuses is for a reader of its message, not of its stack.
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
