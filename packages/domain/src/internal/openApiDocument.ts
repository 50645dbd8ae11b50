/**
 * Shapes the generated OpenAPI documents as the spec's own documents are shaped: one error schema for each status, and
 * bodies open to extra keys. Nothing is added here that the contract does not declare.
 */
import { Predicate } from "effect"

type Node = { readonly [key: string]: unknown }

const asNode = (value: unknown): Node => Predicate.isObject(value) ? value : {}

const child = (node: Node, key: string): Node => asNode(node[key])

const mapValues = (node: Node, f: (value: unknown, key: string) => unknown): { [key: string]: unknown } =>
  Object.fromEntries(Object.entries(node).map(([key, value]) => [key, f(value, key)]))

/** The spec closes the list of errcodes for this status alone; for the others any errcode may come (C19). */
const closedStatuses: ReadonlySet<string> = new Set(["502"])

const resolve = (schema: unknown, components: Node): ReadonlyArray<Node> => {
  if (!Predicate.isObject(schema)) return []
  if (Array.isArray(schema["anyOf"])) return schema["anyOf"].flatMap((member) => resolve(member, components))
  const ref = schema["$ref"]
  return typeof ref === "string" ? resolve(components[ref.split("/").at(-1) ?? ""], components) : [schema]
}

const errcodesOf = (members: ReadonlyArray<Node>): ReadonlyArray<string> =>
  members.flatMap((member) => {
    const errcodes = child(child(member, "properties"), "errcode")["enum"]
    return Array.isArray(errcodes) ? errcodes.filter((errcode) => typeof errcode === "string") : []
  })

const errorSchema = (status: string, members: ReadonlyArray<Node>): Node => {
  const errcodes = errcodesOf(members)
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
const plainNode = (node: Node): { [key: string]: unknown } => {
  const { additionalProperties, maximum, minimum, ...rest } = node
  return mapValues({
    ...rest,
    ...(additionalProperties === undefined || additionalProperties === false ? {} : { additionalProperties }),
    ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum })
  }, plain)
}

const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain)
  return Predicate.isObject(value) ? plainNode(value) : value
}

const response = (status: string, value: unknown, components: Node): unknown => {
  if (!Predicate.isObject(value) || status.startsWith("2")) return value
  const content = child(value, "content")
  const members = Object.values(content).flatMap((media) => resolve(asNode(media)["schema"], components))
  return {
    description: errcodesOf(members).join(", "),
    content: mapValues(content, (media) => ({ ...asNode(media), schema: errorSchema(status, members) }))
  }
}

/** Transforms a generated document; `securitySchemes` are those that no endpoint requires. */
export const transform = (securitySchemes: Node) => (document: Node): { [key: string]: unknown } => {
  const { components, paths, security: _security, ...rest } = document
  const schemas = child(asNode(components), "schemas")
  const schemes = { ...child(asNode(components), "securitySchemes"), ...securitySchemes }
  return plainNode({
    ...rest,
    paths: mapValues(asNode(paths), (item) =>
      mapValues(asNode(item), (operation) => ({
        ...asNode(operation),
        responses: mapValues(
          child(asNode(operation), "responses"),
          (value, status) => response(status, value, schemas)
        )
      }))),
    components: {
      // The scheme's name is matched without regard to case; the spec's documents write it small.
      securitySchemes: mapValues(schemes, (scheme) => ({ ...asNode(scheme), scheme: "bearer" }))
    }
  })
}

/** The appservice's side accepts a ping without a body (A4), so its document does not require one. */
export const optionalBody = (operation: Node): { [key: string]: unknown } => {
  const { required: _required, ...requestBody } = child(operation, "requestBody")
  return { ...operation, requestBody }
}
