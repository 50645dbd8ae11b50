/**
 * Shapes the generated OpenAPI documents as the spec's own documents are shaped: one error schema for each status, and
 * bodies open to extra keys. Nothing is added here that the contract does not declare.
 */
import * as Json from "./json.ts"

type Node = { readonly [key: string]: unknown }

const child = (node: Node, key: string): Node => Json.isObject(node[key]) ? node[key] : {}

const mapValues = (node: Node, f: (value: unknown, key: string) => unknown): Node =>
  Object.fromEntries(Object.entries(node).map(([key, value]) => [key, f(value, key)]))

/** The spec closes the list of errcodes for this status alone; for the others any errcode may come (C19). */
const closedStatuses: ReadonlySet<string> = new Set(["502"])

const resolve = (schema: unknown, components: Node): ReadonlyArray<Node> => {
  if (!Json.isObject(schema)) return []
  if (Array.isArray(schema["anyOf"])) return schema["anyOf"].flatMap((member) => resolve(member, components))
  const ref = schema["$ref"]
  return typeof ref === "string" ? resolve(components[ref.split("/").at(-1) ?? ""], components) : [schema]
}

const errorSchema = (status: string, members: ReadonlyArray<Node>): Node => {
  const errcodes = members.flatMap((member) => child(child(member, "properties"), "errcode")["enum"] ?? [])
  return {
    type: "object",
    title: "Error",
    properties: {
      ...Object.assign({}, ...members.map((member) => child(member, "properties"))),
      errcode: { type: "string", ...(closedStatuses.has(status) ? { enum: errcodes } : { examples: errcodes }) }
    },
    required: ["errcode"]
  }
}

/** `minimum` and `maximum` only repeat what a JSON number can hold exactly. */
const plain = (node: unknown): unknown => {
  if (Array.isArray(node)) return node.map(plain)
  if (!Json.isObject(node)) return node
  const { additionalProperties, maximum, minimum, ...rest } = node
  return mapValues({
    ...rest,
    ...(additionalProperties === undefined || additionalProperties === false ? {} : { additionalProperties }),
    ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum })
  }, plain)
}

const mapSchemas = (content: Node, f: (schema: unknown) => unknown): Node =>
  mapValues(content, (media) => Json.isObject(media) ? { ...media, schema: f(media["schema"]) } : media)

const response = (status: string, value: unknown, components: Node): unknown => {
  if (!Json.isObject(value) || status.startsWith("2")) return value
  const members = resolve(Object.values(child(value, "content")).map((media) => child(media as Node, "schema"))[0], components)
  const errcodes = members.flatMap((member) => child(child(member, "properties"), "errcode")["enum"] ?? [])
  return {
    description: errcodes.join(", "),
    content: mapSchemas(child(value, "content"), () => errorSchema(status, members))
  }
}

/** Transforms a generated document; `securitySchemes` are those that no endpoint requires. */
export const transform = (securitySchemes: Node) => (document: Node): { [key: string]: unknown } => {
  const components = child(child(document, "components"), "schemas")
  const paths = mapValues(child(document, "paths"), (item) =>
    mapValues(item as Node, (operation) => {
      const responses = child(operation as Node, "responses")
      return {
        ...operation as Node,
        responses: mapValues(responses, (value, status) => response(status, value, components))
      }
    }))
  const { security: _security, ...rest } = document
  return plain({
    ...rest,
    paths,
    components: {
      securitySchemes: mapValues(
        { ...child(child(document, "components"), "securitySchemes"), ...securitySchemes },
        // The scheme's name is matched without regard to case; the spec's documents write it small.
        (scheme) => ({ ...scheme as Node, scheme: "bearer" })
      )
    }
  }) as { [key: string]: unknown }
}

/** The appservice's side accepts a ping without a body (A4), so its document does not require one. */
export const optionalBody = (operation: Node): { [key: string]: unknown } => {
  const { required: _required, ...requestBody } = child(operation, "requestBody")
  return { ...operation, requestBody }
}
