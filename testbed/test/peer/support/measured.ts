/** What real peers answered, as it was recorded. */
import { readFileSync } from "node:fs"
import { join } from "node:path"

const lines = (file: string): ReadonlyArray<string> =>
  readFileSync(join(import.meta.dirname, "../measured", file), "utf8").split("\n").filter((line) => line !== "")

/** A fault on the leg to the appservice, and what the homeserver answered its client. */
export interface FaultCell {
  readonly fault: string
  readonly plan: { readonly [field: string]: unknown }
  /** `null` for a homeserver that had not answered when its client gave up. */
  readonly status: number | null
  readonly errcode: string | null
  readonly error: string
  /** The status of the appservice, where the homeserver gave it. */
  readonly appserviceStatus: number | undefined
  readonly seconds: number
  /** How often the fault was really played. */
  readonly applied: number
}

const text = (value: unknown): string => typeof value === "string" ? value : ""

const number = (value: unknown): number | undefined => typeof value === "number" ? value : undefined

const isRecord = (value: unknown): value is { readonly [field: string]: unknown } =>
  typeof value === "object" && value !== null

const recordOf = (line: string): { readonly [field: string]: unknown } => {
  const value: unknown = JSON.parse(line)
  return isRecord(value) ? value : {}
}

export const faultCells = (file: string): ReadonlyArray<FaultCell> =>
  lines(file).map((line, index) => {
    const record = recordOf(line)
    const plan = record["plan"]
    return {
      fault: text(record["fault"]) || `${index + 1}: ${JSON.stringify(plan)}`,
      plan: isRecord(plan) ? plan : {},
      status: number(record["status"]) ?? null,
      errcode: typeof record["errcode"] === "string" ? record["errcode"] : null,
      error: text(record["error"]),
      appserviceStatus: number(record["appservice_status"]),
      seconds: number(record["seconds"]) ?? 0,
      applied: number(record["applied"]) ?? 0
    }
  })

/** A request to a homeserver, by a name of its own, and what it answered. */
export interface RuleCell {
  readonly name: string
  readonly status: number
  /** The errcode, or the names of the fields of the answer; `-` for no JSON. */
  readonly errcodeOrKeys: string
  /** At most its first 76 characters. */
  readonly error: string
  readonly cors: boolean
  readonly contentType: string
}

export const ruleCells = (file: string): ReadonlyArray<RuleCell> =>
  lines(file).map((line) => {
    const record = recordOf(line)
    return {
      name: text(record["case"]),
      status: number(record["status"]) ?? 0,
      errcodeOrKeys: text(record["errcode_or_key"]),
      error: text(record["error"]),
      cors: record["cors"] === "cors",
      contentType: text(record["content_type"])
    }
  })

/** A request to an appservice, by a name of its own, and what it answered; of a long body only the start. */
export interface AppserviceCell {
  readonly name: string
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** A body that was cut stands there as a shell writes it. */
const unquoted = (body: string): string =>
  body.startsWith("$'")
    ? body.slice(2).replaceAll("\\n", "\n").replaceAll("\\'", "'").replace(/\\$/, "").replace(/'$/, "")
    : body === "''"
    ? ""
    : body

export const appserviceCells = (file: string): ReadonlyArray<AppserviceCell> =>
  readFileSync(join(import.meta.dirname, "../measured", file), "utf8")
    // The body of one peer has lines.
    .split(/\n(?=[AmR][ \w]|root)/)
    .filter((line) => line.trim() !== "")
    .flatMap((line): ReadonlyArray<AppserviceCell> => {
      const found = /^(?:mautrix [\d.]+\s+)?(\S.{0,27}?)\s{1,}(\d{3}) ([^ ;]*(?:; charset=utf-8)?) ?([^]*)$/.exec(line)
      if (found === null) return []
      const [, name = "", status = "", contentType = "", body = ""] = found
      return [{ name: name.trim(), status: Number(status), contentType, body: unquoted(body.trimEnd()) }]
    })
