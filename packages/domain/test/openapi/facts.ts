/** What an OpenAPI document states about an operation, without its prose: the same form for any document. */

type Node = { readonly [key: string]: unknown }

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && !Array.isArray(value)

const child = (node: unknown, key: string): Node => {
  const value = isNode(node) ? node[key] : undefined
  return isNode(value) ? value : {}
}

const list = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

/** What a schema states; a key that is absent is not stated. */
export interface SchemaFacts {
  readonly type?: unknown
  readonly enum?: ReadonlyArray<unknown>
  readonly required?: ReadonlyArray<unknown>
  readonly properties?: { readonly [name: string]: SchemaFacts }
  readonly items?: SchemaFacts
  readonly additionalProperties?: SchemaFacts | boolean
}

/** What a document states about one operation. */
export interface OperationFacts {
  readonly path: string
  readonly method: string
  readonly operationId: unknown
  /** One entry for each way to authenticate: the schemes it needs. */
  readonly security: ReadonlyArray<ReadonlyArray<string>>
  readonly parameters: ReadonlyArray<{
    readonly name: unknown
    readonly in: unknown
    readonly required: boolean
    readonly schema: SchemaFacts
  }>
  readonly requestBody?: { readonly required: boolean; readonly content: { readonly [type: string]: SchemaFacts } }
  readonly responses: { readonly [status: string]: { readonly [type: string]: SchemaFacts } }
}

/** What a document states: its operations, and the security schemes it defines. */
export interface DocumentFacts {
  readonly operations: ReadonlyArray<OperationFacts>
  readonly securitySchemes: { readonly [name: string]: { readonly type: unknown; readonly scheme: unknown } }
}

const mapValues = <A>(node: Node, f: (value: unknown) => A): { readonly [key: string]: A } =>
  Object.fromEntries(Object.entries(node).map(([key, value]) => [key, f(value)]))

const schemaFacts = (schema: unknown): SchemaFacts => {
  if (!isNode(schema)) return {}
  const { additionalProperties } = schema
  return {
    ...("type" in schema ? { type: schema["type"] } : {}),
    ...("enum" in schema ? { enum: list(schema["enum"]) } : {}),
    ...("required" in schema ? { required: list(schema["required"]) } : {}),
    ...("properties" in schema ? { properties: mapValues(child(schema, "properties"), schemaFacts) } : {}),
    ...("items" in schema ? { items: schemaFacts(schema["items"]) } : {}),
    ...(isNode(additionalProperties) ? { additionalProperties: schemaFacts(additionalProperties) } : {}),
    ...(typeof additionalProperties === "boolean" ? { additionalProperties } : {})
  }
}

const contentFacts = (content: Node): { readonly [type: string]: SchemaFacts } =>
  mapValues(content, (media) => schemaFacts(child(media, "schema")))

const operationFacts = (path: string, method: string, operation: unknown): OperationFacts => {
  const node = isNode(operation) ? operation : {}
  return {
    path,
    method,
    operationId: node["operationId"],
    security: list(node["security"]).map((way) => Object.keys(isNode(way) ? way : {})),
    parameters: list(node["parameters"]).map((parameter) => ({
      name: isNode(parameter) ? parameter["name"] : undefined,
      in: isNode(parameter) ? parameter["in"] : undefined,
      required: isNode(parameter) && parameter["required"] === true,
      schema: schemaFacts(child(parameter, "schema"))
    })),
    ...("requestBody" in node
      ? {
        requestBody: {
          required: child(node, "requestBody")["required"] === true,
          content: contentFacts(child(child(node, "requestBody"), "content"))
        }
      }
      : {}),
    responses: mapValues(child(node, "responses"), (response) => contentFacts(child(response, "content")))
  }
}

/** Reads the facts of a document without `$ref`; its paths follow the `basePath` of its first server, if it has one. */
export const documentFacts = (document: unknown): DocumentFacts => {
  const [server] = list(isNode(document) ? document["servers"] : undefined)
  const basePath = child(child(server, "variables"), "basePath")["default"]
  const prefix = typeof basePath === "string" ? basePath : ""
  return {
    operations: Object.entries(child(document, "paths")).flatMap(([path, item]) =>
      Object.entries(isNode(item) ? item : {}).map(([method, operation]) =>
        operationFacts(prefix + path, method, operation)
      )
    ),
    securitySchemes: mapValues(child(child(document, "components"), "securitySchemes"), (scheme) => ({
      type: isNode(scheme) ? scheme["type"] : undefined,
      scheme: isNode(scheme) ? scheme["scheme"] : undefined
    }))
  }
}

const isMissing = (value: unknown): value is undefined => value === undefined

/** Names what the one schema states that the other does not; an open body of the one must stay open in the other. */
const missingInSchema = (at: string, official: SchemaFacts, ours: SchemaFacts): ReadonlyArray<string> => {
  const same = (key: "type" | "enum" | "required"): ReadonlyArray<string> =>
    isMissing(official[key]) || JSON.stringify(official[key]) === JSON.stringify(ours[key])
      ? []
      : [`${at}: ${key} ${JSON.stringify(official[key])}`]
  const extra = official.additionalProperties
  return [
    ...same("type"),
    ...same("enum"),
    ...same("required"),
    ...(official.required === undefined && ours.required !== undefined ? [`${at}: nothing required`] : []),
    ...Object.entries(official.properties ?? {}).flatMap(([name, property]) => {
      const own = ours.properties?.[name]
      return own === undefined ? [`${at}.${name}`] : missingInSchema(`${at}.${name}`, property, own)
    }),
    ...(official.items === undefined ? [] : missingInSchema(`${at}[]`, official.items, ours.items ?? {})),
    ...(typeof extra === "object"
      ? missingInSchema(
        `${at}.*`,
        extra,
        typeof ours.additionalProperties === "object" ? ours.additionalProperties : {}
      )
      : [])
  ]
}

const missingInContent = (
  at: string,
  official: { readonly [type: string]: SchemaFacts },
  ours: { readonly [type: string]: SchemaFacts }
): ReadonlyArray<string> =>
  Object.entries(official).flatMap(([type, schema]) => {
    const own = ours[type]
    return own === undefined ? [`${at} ${type}`] : missingInSchema(`${at} ${type}`, schema, own)
  })

const missingInOperation = (official: OperationFacts, ours: DocumentFacts): ReadonlyArray<string> => {
  const at = `${official.method} ${official.path}`
  const own = ours.operations.find(({ method, path }) => method === official.method && path === official.path)
  if (own === undefined) return [at]
  return [
    ...(own.operationId === official.operationId ? [] : [`${at}: operationId ${String(official.operationId)}`]),
    ...(JSON.stringify(own.security) === JSON.stringify(official.security)
      ? []
      : [`${at}: security ${JSON.stringify(official.security)}`]),
    ...official.parameters.flatMap((parameter) => {
      const found = own.parameters.find(({ in: place, name }) => place === parameter.in && name === parameter.name)
      const where = `${at}: parameter ${String(parameter.name)}`
      if (found === undefined || found.required !== parameter.required) return [where]
      return missingInSchema(where, parameter.schema, found.schema)
    }),
    ...(own.parameters.length === official.parameters.length ? [] : [`${at}: no other parameter`]),
    ...(official.requestBody?.required === own.requestBody?.required
      ? []
      : [`${at}: body required ${String(official.requestBody?.required)}`]),
    ...missingInContent(`${at}: body`, official.requestBody?.content ?? {}, own.requestBody?.content ?? {}),
    ...Object.entries(official.responses).flatMap(([status, content]) => {
      const answer = own.responses[status]
      return answer === undefined ? [`${at}: ${status}`] : missingInContent(`${at}: ${status}`, content, answer)
    })
  ]
}

/** Names every fact of the one document that the other does not state. */
export const missing = (official: DocumentFacts, ours: DocumentFacts): ReadonlyArray<string> => [
  ...official.operations.flatMap((operation) => missingInOperation(operation, ours)),
  ...Object.entries(official.securitySchemes).flatMap(([name, scheme]) =>
    JSON.stringify(ours.securitySchemes[name]) === JSON.stringify(scheme) ? [] : [`security scheme ${name}`]
  )
]
