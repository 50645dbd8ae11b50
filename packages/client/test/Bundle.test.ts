import { assert, describe, it } from "@effect/vitest"
import { build } from "esbuild"
import { join } from "node:path"
import { gzipSync } from "node:zlib"

const root = join(import.meta.dirname, "../../..")

/** What an app carries that only pings, bundled as for a browser or a worker. */
const bundleOf = (imports: string) =>
  build({
    stdin: { contents: imports, resolveDir: join(root, "packages/client/test"), loader: "ts" },
    bundle: true,
    minify: true,
    platform: "neutral",
    mainFields: ["module", "main"],
    format: "esm",
    write: false,
    metafile: true,
    logLevel: "silent",
    absWorkingDir: root
  })

describe("the bundle of an app that only pings", () => {
  it.each([
    ["the module", "export { ping } from \"@appservice-ping/client/Ping\""],
    ["the package", "import { Ping } from \"@appservice-ping/client\"\nexport const { ping } = Ping"]
  ])("has no parser of YAML, and no reader of registrations, by %s", async (_, imports) => {
    const { metafile, outputFiles } = await bundleOf(imports)
    const used = Object.entries(Object.values(metafile.outputs)[0]?.inputs ?? {}).flatMap(([file, { bytesInOutput }]) =>
      bytesInOutput > 0 ? [file] : []
    )
    assert.deepStrictEqual(used.filter((file) => /node_modules\/yaml\/|Registration(?:File|Warning)?\./.test(file)), [])
    const bytes = gzipSync(outputFiles[0]?.contents ?? "").length
    assert.isAbove(bytes, 10_000)
    assert.isBelow(bytes, 200_000)
  })
})
