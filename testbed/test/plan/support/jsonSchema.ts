import { Predicate } from "effect"

/** A JSON Schema, as far as the generator writes one. */
type Schema = { readonly [keyword: string]: unknown }

const isSchema = (value: unknown): value is Schema => Predicate.isObject(value) && !Array.isArray(value)

const schemas = (value: unknown): ReadonlyArray<Schema> => Array.isArray(value) ? value.filter(isSchema) : []

const strings = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : []

const typeOf = (value: unknown): string => {
  if (Array.isArray(value)) return "array"
  if (value === null) return "null"
  return typeof value === "object" ? "object" : typeof value
}

const isOfType = (type: unknown, value: unknown): boolean =>
  type === "integer" ? Number.isInteger(value) : type === typeOf(value)

type Check = (argument: unknown, value: unknown, schema: Schema, root: Schema) => boolean

const ignored: Check = () => true

const onNumber = (test: (value: number, bound: number) => boolean): Check => (bound, value) =>
  typeof value !== "number" || typeof bound !== "number" || test(value, bound)

const onList = (test: (length: number, bound: number) => boolean): Check => (bound, value) =>
  !Array.isArray(value) || typeof bound !== "number" || test(value.length, bound)

const keywords: { readonly [keyword: string]: Check } = {
  $schema: ignored,
  $defs: ignored,
  title: ignored,
  description: ignored,
  $ref: (reference, value, _, root) => {
    const name = String(reference).replace(/^#\/\$defs\//, "")
    const definitions = root["$defs"]
    const target = isSchema(definitions) ? definitions[name] : undefined
    if (!isSchema(target)) throw new Error(`no definition of ${String(reference)}`)
    return isValid(target, value, root)
  },
  type: (type, value) => isOfType(type, value),
  enum: (values, value) => Array.isArray(values) && values.includes(value),
  anyOf: (members, value, _, root) => schemas(members).some((member) => isValid(member, value, root)),
  allOf: (members, value, _, root) => schemas(members).every((member) => isValid(member, value, root)),
  oneOf: (members, value, _, root) => schemas(members).filter((member) => isValid(member, value, root)).length === 1,
  required: (names, value) => !Predicate.isObject(value) || strings(names).every((name) => Object.hasOwn(value, name)),
  properties: (properties, value, _, root) =>
    !Predicate.isObject(value) || !isSchema(properties) ||
    Object.entries(properties).every(([name, member]) =>
      !Object.hasOwn(value, name) || (isSchema(member) && isValid(member, value[name], root))
    ),
  additionalProperties: (rest, value, schema, root) => {
    const properties = isSchema(schema["properties"]) ? schema["properties"] : {}
    return !Predicate.isObject(value) || Array.isArray(value) ||
      Object.entries(value).every(([name, member]) =>
        Object.hasOwn(properties, name) || rest === true || (isSchema(rest) && isValid(rest, member, root))
      )
  },
  items: (items, value, _, root) =>
    !Array.isArray(value) || (isSchema(items) && value.every((item) => isValid(items, item, root))),
  minItems: onList((length, bound) => length >= bound),
  maxItems: onList((length, bound) => length <= bound),
  minimum: onNumber((value, bound) => value >= bound),
  maximum: onNumber((value, bound) => value <= bound),
  exclusiveMinimum: onNumber((value, bound) => value > bound),
  pattern: (pattern, value) => typeof value !== "string" || new RegExp(String(pattern), "u").test(value),
  format: ignored,
  contentEncoding: ignored
}

/** Validates as JSON Schema 2020-12 does; throws for a keyword that it does not know, so that none is passed over. */
export const isValid = (schema: Schema, value: unknown, root: Schema = schema): boolean =>
  Object.entries(schema).every(([keyword, argument]) => {
    const check = keywords[keyword]
    if (check === undefined) throw new Error(`unknown keyword ${keyword}`)
    return check(argument, value, schema, root)
  })
