import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Cell, Measured, Pair, Row } from "./clientTable/Cell.ts"
import type { Generator } from "./Generator.ts"

const lineWidth = 120

const indented = (text: string, depth: number): string => `${"  ".repeat(depth)}${text}`

/** JSON with each value on one line where it fits, so that a cell that changes is one line of a diff. */
const json = (value: unknown, depth: number, used: number): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  const isList = Array.isArray(value)
  const members = isList
    ? value.map((member) => ({ key: "", member }))
    : Object.entries(value).map(([key, member]) => ({ key: `${JSON.stringify(key)}: `, member }))
  const flat = members.map(({ key, member }) => key + json(member, depth, -Infinity)).join(", ")
  const line = isList ? `[${flat}]` : flat === "" ? "{}" : `{ ${flat} }`
  // A comma may follow.
  if (used + line.length < lineWidth) return line
  const inner = members.map(({ key, member }) =>
    indented(key + json(member, depth + 1, (depth + 1) * 2 + key.length), depth + 1)
  )
  return `${isList ? "[" : "{"}\n${inner.join(",\n")}\n${indented(isList ? "]" : "}", depth)}`
}

const textOf = (cell: Cell): string => {
  switch (cell.result) {
    case "answer":
      return `${cell.status}, ${cell.bytes} B`
    case "timeout":
      return cell.phase === undefined ? "timeout" : `timeout (${cell.phase})`
    case "failure":
      return cell.kind
    case "foreign":
      return `${cell.text.replaceAll("|", "\\|")} (${cell.phase})`
    case "error": {
      const names = cell.errors.map(({ code, name }) => code === undefined ? name : `${name} ${code}`)
      const code = cell.errors.at(-1)?.code === undefined ? ", no code" : ""
      const reason = cell.reason === undefined ? "" : `${cell.reason}: `
      return `${reason}${names.join(" / ")}${code} (${cell.phase}) = ${cell.kind}`
    }
  }
}

const pairText = ({ connections, first, second }: Pair): string =>
  `${textOf(first)}; then ${textOf(second)}, ${connections === 1 ? "same connection" : "new connection"}`

const table = (header: ReadonlyArray<string>, lines: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = header.map((title, index) => Math.max(title.length, ...lines.map((line) => line[index]?.length ?? 0)))
  const row = (cells: ReadonlyArray<string>): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" | ")} |`
  return [row(header), row(widths.map((width) => "-".repeat(width))), ...lines.map(row)].join("\n")
}

const rowsTable = <A>(rows: ReadonlyArray<Row<A>>, show: (cell: A) => string): string => {
  const clients = [...new Set(rows.flatMap(({ cells }) => Object.keys(cells)))]
  const lines = rows.map(({ cells, name }) => [
    name,
    ...clients.map((client) => {
      const cell = cells[client]
      return cell === undefined ? "" : show(cell)
    })
  ])
  return table(["fault", ...clients], lines)
}

const page = ({ keptAlive, rows, versions }: Measured): string => {
  const measuredWith = Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")
  return `# What each client reports of each fault, measured with ${measuredWith}

Every cell was measured over real sockets: a client, a proxy of the testbed that plays the fault, a homeserver behind
it. \`npm run generate\` measures again; \`docs/faults/clients.json\` has the same as data. Go's \`net/http\` is measured
by \`MEASURE_GO=1 npm run generate\`, which needs Go, and kept as it was measured otherwise; its cells are its own words,
which a homeserver in Go repeats.

- \`200, 17 B\`: the client saw a whole answer, with this status and so many bytes of body.
- \`timeout\`: nothing but the caller's own deadline ended it; before the \`head\` of the answer was there, or in its
  \`body\`.
- Everything else is an error: first the reason of Effect's \`HttpClientError\`, then the error and its causes by name and
  code, then whether it came before the \`head\` of the answer was there or from its \`body\`, and last the kind that
  \`ConnectionFailure.fromUnknown\` makes of it. Of \`NodeTransport\` it is that kind alone.

An error without a code can only be told by its name, and a reset that came on accept can name \`connect\`, \`read\` or
\`write\` as it happens: neither texts nor system calls are compared here.

## One request

${rowsTable(rows, textOf)}

## Two requests of a client that keeps its connection

The fault strikes the first connection only, and the second request goes out when all is quiet after the first.

${rowsTable(keptAlive, pairText)}
`
}

/**
 * The golden table under `docs/faults/`: what each client reports of each fault.
 *
 * It opens sockets and runs what was built, so it has to follow a build, and takes some seconds. The modules that need
 * the build are loaded when it runs, because the other generators need none.
 */
export const clientTable: Generator = async (root) => {
  const { measure } = await import("./clientTable/measure.ts")
  const path = "docs/faults/clients.json"
  const recorded: Measured = JSON.parse(await readFile(join(root, path), "utf8"))
  const measured = await measure(recorded)
  return [
    { path, content: `${json(measured, 0, 0)}\n` },
    { path: "docs/faults/clients.md", content: page(measured) }
  ]
}
