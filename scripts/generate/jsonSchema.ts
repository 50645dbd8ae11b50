import { Schema } from "effect"
import type { Generator } from "./Generator.ts"

const document = (title: string, schema: Schema.Constraint): string => {
  const { definitions, schema: root } = Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" })
  const properties = typeof root["properties"] === "object" ? root["properties"] : {}
  const content = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title,
    ...root,
    // By this field a JSON file names its schema to an editor; the readers pass over it.
    properties: { $schema: { type: "string" }, ...properties },
    $defs: definitions
  }
  return `${JSON.stringify(content, null, 2)}\n`
}

/**
 * The JSON Schemas under `docs/schema/`, for editors: `# yaml-language-server: $schema=…` at the top of a YAML file, or
 * `"$schema"` in a JSON file.
 */
export const jsonSchema: Generator = async () => {
  // Loaded when it runs: what they import may have to be generated first.
  const { Plan } = await import("../../testbed/src/plan/Plan.ts")
  const { Scenario } = await import("../../testbed/src/scenario/Scenario.ts")
  return [
    { path: "docs/schema/plan.schema.json", content: document("Fault plan", Plan) },
    { path: "docs/schema/scenario.schema.json", content: document("Scenario", Scenario) }
  ]
}
