/** What survived a run, and what is known of it. */

/** Where a mutation is in a file; lines and columns count from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** A mutation and what became of it, in Stryker's words. */
export interface Mutant {
  readonly fileName: string
  readonly mutatorName: string
  readonly replacement: string
  readonly status: string
  readonly location: { readonly start: Place; readonly end: Place }
}

/** A mutation as a person reads it, and as it is found again when lines move. */
export interface Change {
  readonly file: string
  readonly mutator: string
  /** The code that is replaced, in the lines that it is in. */
  readonly code: string
  /** The same lines with the mutation in them. */
  readonly mutated: string
}

/** A mutation that changes nothing that a test could see, and why. */
export interface Equivalent extends Change {
  readonly reason: string
}

const maxCodeLength = 400

const squeezed = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim()
  return line.length <= maxCodeLength ? line : `${line.slice(0, maxCodeLength)}…`
}

/** Reads a mutation out of its file's text. */
export const changeOf = (file: string, source: string, mutant: Omit<Mutant, "fileName" | "status">): Change => {
  const { end, start } = mutant.location
  const lines = source.split("\n").slice(start.line - 1, end.line)
  const before = (lines[0] ?? "").slice(0, start.column - 1)
  const after = (lines.at(-1) ?? "").slice(end.column - 1)
  return {
    file,
    mutator: mutant.mutatorName,
    code: squeezed(lines.join("\n")),
    mutated: squeezed(before + mutant.replacement + after)
  }
}

const keyOf = ({ code, file, mutated, mutator }: Change): string => JSON.stringify([file, mutator, code, mutated])

/** The survivors that nothing is known of, and the known ones of these files that did not survive. */
export const compare = (
  survivors: ReadonlyArray<Change>,
  equivalents: ReadonlyArray<Equivalent>,
  files: ReadonlySet<string>
): { readonly unknown: ReadonlyArray<Change>; readonly stale: ReadonlyArray<Equivalent> } => {
  const known = new Set(equivalents.map(keyOf))
  const survived = new Set(survivors.map(keyOf))
  return {
    unknown: survivors.filter((survivor) => !known.has(keyOf(survivor))),
    stale: equivalents.filter((equivalent) => files.has(equivalent.file) && !survived.has(keyOf(equivalent)))
  }
}
