/** What a schema knows about its form, read from its AST, so that there is no second list of names. */
import { SchemaAST } from "effect"

/** The field that distinguishes the members of a union, and its values. */
export interface Discriminator {
  readonly key: string
  readonly names: ReadonlyArray<string>
}

/** The values that are allowed, where only certain ones are. */
export const literalsOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.LiteralValue> | undefined => {
  if (SchemaAST.isLiteral(ast)) return [ast.literal]
  if (!SchemaAST.isUnion(ast)) return undefined
  const members = ast.types.map((type) => literalsOf(SchemaAST.toEncoded(type)))
  return members.every((member) => member !== undefined) ? members.flat() : undefined
}

/** The members of a union that are mappings, or the mapping itself. */
export const mappingsOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.Objects> => {
  const encoded = SchemaAST.toEncoded(ast)
  if (SchemaAST.isObjects(encoded)) return [encoded]
  return SchemaAST.isUnion(encoded) ? encoded.types.flatMap(mappingsOf) : []
}

export const fieldNames = (mapping: SchemaAST.Objects): ReadonlyArray<string> =>
  mapping.propertySignatures.map(({ name }) => String(name))

export const fieldOf = (mapping: SchemaAST.Objects, name: PropertyKey): SchemaAST.AST | undefined =>
  mapping.propertySignatures.find((property) => property.name === name)?.type

const wordsOf = (ast: SchemaAST.AST | undefined): ReadonlyArray<string> | undefined => {
  const literals = ast === undefined ? undefined : literalsOf(SchemaAST.toEncoded(ast))
  return literals?.every((literal) => typeof literal === "string") === true ? literals.map(String) : undefined
}

export const discriminatorOf = (union: SchemaAST.AST): Discriminator | undefined => {
  const mappings = mappingsOf(union)
  const [first] = mappings
  if (first === undefined || mappings.length < 2) return undefined
  for (const key of fieldNames(first)) {
    const words = mappings.map((mapping) => wordsOf(fieldOf(mapping, key)))
    if (words.every((names) => names?.length === 1)) {
      return { key, names: words.flatMap((names) => names ?? []) }
    }
  }
  return undefined
}

/** The items of a list: of a union, those of its first list. */
const itemsOf = (ast: SchemaAST.AST): SchemaAST.AST | undefined => {
  const encoded = SchemaAST.toEncoded(ast)
  if (SchemaAST.isArrays(encoded)) return encoded.rest[0] ?? encoded.elements[0]
  return SchemaAST.isUnion(encoded) ? encoded.types.map(itemsOf).find((items) => items !== undefined) : undefined
}

/** The fields of a mapping that take a field of this name themselves, directly or in a list. */
export const fieldsThatTake = (mapping: SchemaAST.Objects, name: string): ReadonlyArray<string> =>
  mapping.propertySignatures.flatMap(({ name: field, type }) => {
    const inner = itemsOf(type) ?? type
    return mappingsOf(inner).some((member) => fieldOf(member, name) !== undefined) ? [String(field)] : []
  })

const namesMax = 12

/** Names as a list that fits into a line. */
export const listed = (names: ReadonlyArray<string | number | boolean | bigint>): string => {
  const shown = names.slice(0, namesMax).map((name) => typeof name === "string" ? JSON.stringify(name) : String(name))
  const more = names.length - shown.length
  return more === 0 ? shown.join(", ") : `${shown.join(", ")} and ${more} more`
}

const numberWords = (expectations: ReadonlyArray<string>): string => {
  const noun = expectations.includes("an integer") ? "a whole number" : "a number"
  const range = expectations.find((expected) => expected !== "an integer" && expected !== "a finite number")
  return range === undefined ? noun : range.replace(/^a value\b/, noun)
}

/** What a check expects, in the words of its schema; `undefined` for one that does not say. */
export const checkWords = (ast: SchemaAST.AST, expected: unknown): string | undefined => {
  if (typeof expected !== "string") return undefined
  if (expected === "an integer") return "a whole number"
  const noun = SchemaAST.isNumber(ast)
    ? "a number"
    : SchemaAST.isString(ast)
    ? "text"
    : SchemaAST.isArrays(ast)
    ? "a list"
    : "a value"
  return expected.replace(/^a value\b/, noun)
}

const expectationsOf = (checks: ReadonlyArray<SchemaAST.Check<unknown>>): ReadonlyArray<string> =>
  checks.flatMap((check) => {
    const expected = check.annotations?.["expected"]
    if (typeof expected === "string") return [expected]
    return check._tag === "FilterGroup" ? expectationsOf(check.checks) : []
  })

/** What a schema expects, in words. */
export const expectedWords = (ast: SchemaAST.AST): string => {
  const encoded = SchemaAST.toEncoded(ast)
  const literals = literalsOf(encoded)
  if (literals !== undefined) return literals.length === 1 ? listed(literals) : `one of ${listed(literals)}`
  const expectations = expectationsOf(encoded.checks ?? [])
  if (SchemaAST.isNumber(encoded)) return numberWords(expectations)
  if (SchemaAST.isString(encoded)) return expectations[0]?.replace(/^a value\b/, "text") ?? "text"
  if (SchemaAST.isBoolean(encoded)) return "true or false"
  if (SchemaAST.isNull(encoded)) return "null"
  if (SchemaAST.isArrays(encoded)) return "a list"
  if (SchemaAST.isUnion(encoded)) {
    const discriminator = discriminatorOf(encoded)
    const others = encoded.types.filter((type) => discriminator === undefined || !SchemaAST.isObjects(type))
    const mapping = discriminator === undefined ? [] : [`a mapping with a ${discriminator.key}`]
    return [...new Set([...others.map(expectedWords), ...mapping])].join(" or ")
  }
  if (SchemaAST.isObjects(encoded)) {
    const names = fieldNames(encoded)
    return names.length === 0 ? "a mapping" : `a mapping with ${names.slice(0, 8).join(", ")}`
  }
  return "something else"
}
