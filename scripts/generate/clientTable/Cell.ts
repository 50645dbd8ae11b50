/** What a client made of an exchange; nothing in it changes from run to run. */
import type { Kind } from "@appservice-ping/domain/ConnectionFailure"

/** How far the client had come: to the head of an answer, or not. */
export type Phase = "head" | "body"

/** One error of a chain of causes. */
export interface Raised {
  readonly name: string
  readonly code?: string
}

export type Cell =
  | { readonly result: "answer"; readonly status: number; readonly bytes: number }
  /** Only the caller's own deadline ended it. */
  | { readonly result: "timeout"; readonly phase?: Phase }
  | {
    readonly result: "error"
    readonly phase: Phase
    /** What an `HttpClientError` says of it. */
    readonly reason?: string
    /** The error, its cause, and so on. */
    readonly errors: ReadonlyArray<Raised>
    readonly kind: Kind
  }
  /** What a client in another language says; its words are what a homeserver in that language repeats. */
  | {
    readonly result: "foreign"
    readonly phase: Phase
    readonly errors: ReadonlyArray<Raised>
    readonly text: string
  }
  /** The transport fails with a `ConnectionFailure`, and tells no phase. */
  | { readonly result: "failure"; readonly kind: Kind; readonly text: string }

/** A request, and another one by the same client when all was quiet again. */
export interface Pair {
  readonly first: Cell
  readonly second: Cell
  /** How many connections it took. */
  readonly connections: number
}

/** A fault, and the cells of the clients by their names. */
export interface Row<A> {
  readonly name: string
  /** The fault as it is written in a plan. */
  readonly fault: unknown
  readonly cells: { readonly [client: string]: A }
}

export interface Measured {
  readonly versions: { readonly [name: string]: string }
  readonly rows: ReadonlyArray<Row<Cell>>
  readonly keptAlive: ReadonlyArray<Row<Pair>>
}
