/** A file as it must be in the repository; `path` is relative to the root. */
export interface GeneratedFile {
  readonly path: string
  readonly content: string
}

/** Computes its files and writes none, so that one caller decides between writing and comparing. */
export type Generator = (root: string) => Promise<ReadonlyArray<GeneratedFile>>
