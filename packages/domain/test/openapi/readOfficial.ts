import { Yaml } from "effect/encoding"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"

type Node = { readonly [key: string]: unknown }

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && !Array.isArray(value)

const at = (document: unknown, pointer: string): unknown =>
  pointer.split("/").filter((key) => key !== "").reduce<unknown>(
    (value, key) => isNode(value) ? value[key] : undefined,
    document
  )

/** The members of an `allOf` as one schema, which is what the documents use it for. */
const merged = (members: ReadonlyArray<Node>): Node =>
  Object.assign({}, ...members, {
    properties: Object.assign({}, ...members.map((member) => member["properties"]))
  })

/** Reads an official document, or a schema of one, with every `$ref` to a neighbouring file resolved. */
export const readOfficial = (file: string): unknown => {
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve)
    if (!isNode(value)) return value
    const ref = value["$ref"]
    if (typeof ref === "string") {
      const [path = "", pointer = ""] = ref.split("#")
      return at(readOfficial(join(dirname(file), path)), pointer)
    }
    if (Array.isArray(value["allOf"])) return merged(value["allOf"].map(resolve).filter(isNode))
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, resolve(member)]))
  }
  return resolve(Yaml.parse(readFileSync(file, "utf8")))
}
