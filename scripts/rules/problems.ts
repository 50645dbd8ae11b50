/** What is wrong with the rules and with the places that name them. */
import { linkOf, type Rule, specVersion } from "../../packages/domain/src/Rule.ts"
import { all, isRuleId } from "../../packages/domain/src/Rules.ts"
import type { Citations } from "./citations.ts"
import fragments from "./fragments.json" with { type: "json" }

const known = new Set(
  Object.entries(fragments.pages).flatMap(([page, ids]) => ids.map((fragment) => `${page}#${fragment}`))
)

const unknownIds = (citations: ReadonlyArray<Citations>): ReadonlyArray<string> =>
  citations.flatMap(({ file, ids }) =>
    [...ids].filter((id) => !isRuleId(id)).map((id) => `${file} names the rule ${id}, which does not exist`)
  )

const untested = (citations: ReadonlyArray<Citations>): ReadonlyArray<string> => {
  const tested = new Set(citations.flatMap((found) => [...found.tested]))
  return all.filter(({ id }) => !tested.has(id)).map(({ id }) => `no test's name starts with ${id}`)
}

const deadLinks = (): ReadonlyArray<string> =>
  all.flatMap((rule: Rule) =>
    rule.sources.flatMap((source) =>
      source._tag === "Spec" && !known.has(`${source.page}#${source.fragment}`)
        ? [`${rule.id}: the spec has no ${linkOf(source)}`]
        : []
    )
  )

const repeated = (): ReadonlyArray<string> => {
  const ids = all.map(({ id }) => id)
  return ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `the id ${id} is there twice`)
}

const anotherVersion = (): ReadonlyArray<string> =>
  fragments.version === specVersion
    ? []
    : [`the links are to ${specVersion}, but the fragments were read from ${fragments.version}`]

/** One line for each problem; none if all is well. */
export const problems = (citations: ReadonlyArray<Citations>): ReadonlyArray<string> => [
  ...anotherVersion(),
  ...repeated(),
  ...deadLinks(),
  ...unknownIds(citations),
  ...untested(citations)
]
