/**
 * Writes `fragments.json`, the fragments of the spec's pages that rules link to, from a checkout of
 * https://github.com/matrix-org/matrix-spec: `node scripts/rules/readSpecFragments.ts CHECKOUT TAG`.
 *
 * A fragment is what the spec's site makes of its sources: of a heading, its text as Hugo anchorizes it, or its own
 * `{id=…}`; of an operation, its method and path (`layouts/_partials/openapi/render-operation.html`); of a definition,
 * its title (`layouts/_shortcodes/definition.html`). The check of the rules reads the file alone, so it needs no network.
 */
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "yaml"

const [checkout = ".", tag = "v1.19"] = process.argv.slice(2)

const git = (...args: ReadonlyArray<string>): string =>
  execFileSync("git", ["-C", checkout, ...args], { encoding: "utf8", maxBuffer: 2 ** 26 })

const show = (path: string): string => git("show", `${tag}:${path}`)

/** Hugo's `anchorize`: small letters, no punctuation, and a hyphen for each space. */
const anchorize = (text: string): string =>
  text.toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, "").trim().replaceAll(" ", "-")

const decodeEntities = (text: string): string => text.replaceAll("&gt;", ">").replaceAll("&amp;", "&")

const withoutCode = (text: string): string => text.replaceAll(/^```[\s\S]*?^```/gm, "")

const headings = (source: string): ReadonlyArray<string> => {
  const seen = new Map<string, number>()
  return [...withoutCode(source).matchAll(/^#{1,6} +(.+)$/gm)].map(([, text = ""]) => {
    const own = /\{ *(?:id="?|#)([\w-]+)"? *\}/.exec(text)?.[1]
    if (own !== undefined) return own
    const id = anchorize(decodeEntities(text))
    const times = seen.get(id) ?? 0
    seen.set(id, times + 1)
    return times === 0 ? id : `${id}-${times}`
  })
}

interface OpenApi {
  readonly paths: { readonly [path: string]: object }
  readonly servers?: ReadonlyArray<{ readonly variables?: { readonly basePath?: { readonly default?: string } } }>
}

const operations = (source: string): ReadonlyArray<string> =>
  [...source.matchAll(/\{\{% http-api spec="([\w-]+)" api="([\w-]+)" %\}\}/g)].flatMap(([, spec, api]) => {
    const document: OpenApi = parse(show(`data/api/${spec}/${api}.yaml`))
    const base = document.servers?.[0]?.variables?.basePath?.default ?? ""
    return Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toLowerCase()}${anchorize(`${base}${path}`)}`)
    )
  })

const definitions = (source: string): ReadonlyArray<string> =>
  [...source.matchAll(/\{\{% definition path="([\w/-]+)" %\}\}/g)].map(([, path]) => {
    const { title }: { readonly title: string } = parse(show(`data/${path}.yaml`))
    return `definition-${anchorize(title)}`
  })

const pages = {
  "": "content/_index.md",
  "application-service-api/": "content/application-service-api.md",
  "client-server-api/": "content/client-server-api/_index.md"
}

const fragmentsOf = (path: string): ReadonlyArray<string> => {
  const source = show(path)
  return [...new Set([...headings(source), ...operations(source), ...definitions(source)])].toSorted()
}

const file = {
  how: "read from the sources of the spec with scripts/rules/readSpecFragments.ts",
  version: tag,
  commit: git("rev-parse", `${tag}^{commit}`).trim(),
  date: new Date().toISOString().slice(0, 10),
  pages: Object.fromEntries(Object.entries(pages).map(([page, path]) => [page, fragmentsOf(path)]))
}

writeFileSync(join(import.meta.dirname, "fragments.json"), `${JSON.stringify(file, null, 2)}\n`)
