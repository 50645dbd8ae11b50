import { inspect } from "node:util"

/** The secrets that a value shows in one of the ways it can be printed; empty is as it must be. */
export const leaks = (value: unknown, secrets: ReadonlyArray<string>): ReadonlyArray<string> => {
  const printed = [
    String(value),
    inspect(value, { depth: 10, showHidden: true }),
    JSON.stringify(value) ?? "",
    value instanceof Error ? value.stack ?? "" : ""
  ].join("\n")
  return secrets.filter((secret) => printed.includes(secret))
}
