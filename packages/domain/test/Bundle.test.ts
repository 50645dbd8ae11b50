import { assert, describe, it } from "@effect/vitest"
import { build, type BuildOptions } from "esbuild"
import { join } from "node:path"

const root = join(import.meta.dirname, "../../..")

/** For no platform in particular, so that a Node module is a module that does not exist. */
const options = {
  bundle: true,
  platform: "neutral",
  mainFields: ["module", "main"],
  format: "esm",
  write: false,
  metafile: true,
  logLevel: "silent",
  absWorkingDir: root
} as const satisfies BuildOptions

const bundleOf = (imports: string) =>
  build({ ...options, stdin: { contents: imports, resolveDir: join(root, "packages/domain/src"), loader: "ts" } })

describe("the bundle of domain", () => {
  it("holds no Node module, and nothing but domain, effect and the parser of YAML", async () => {
    const { errors, metafile, warnings } = await build({ ...options, entryPoints: ["packages/domain/src/index.ts"] })
    assert.deepStrictEqual([...errors, ...warnings], [])
    const foreign = Object.keys(metafile.inputs).filter((file) =>
      !/^packages\/domain\/src\/|(?:^|\/)node_modules\/(?:effect|yaml)\//.test(file)
    )
    assert.deepStrictEqual(foreign, [])
    const external = Object.values(metafile.outputs).flatMap((output) => output.imports).filter((found) =>
      found.external
    )
    assert.deepStrictEqual(external, [])
  })

  it.each([
    "import \"node:fs\"",
    "import \"fs\"",
    "export * from \"@effect/platform-node/NodeHttpServer\""
  ])(
    "would not take: %s",
    async (planted) => {
      const failure = await bundleOf(`import "./Answer.ts"\n${planted}`).then(
        () => "",
        (error: unknown) => String(error)
      )
      assert.match(failure, /Could not resolve "(?:node:)?[a-z/]+"/)
    }
  )

  it("takes what only imports domain", async () => {
    const { errors } = await bundleOf("import \"./Answer.ts\"")
    assert.deepStrictEqual(errors, [])
  })

  it("has the parser of YAML for the file of a registration alone", async () => {
    const holdsYaml = async (imports: string): Promise<boolean> =>
      Object.keys((await bundleOf(imports)).metafile?.inputs ?? {}).some((file) => file.includes("node_modules/yaml/"))
    assert.isFalse(await holdsYaml("export * from \"./Registration.ts\"\nexport * from \"./RegistrationWarning.ts\""))
    assert.isTrue(await holdsYaml("export * from \"./RegistrationFile.ts\""))
  })
})
