/** The faults that are played between real peers: the catalogue of the homeserver's request, and what is not in it. */
import * as Catalogue from "@appservice-ping/testbed/fault/Catalogue"
import * as Fault from "@appservice-ping/testbed/fault/Fault"

/** A fault, and whether the leg speaks TLS. */
export interface Cell {
  readonly title: string
  readonly fault: Fault.Fault
  readonly tls: boolean
  /** Why two runs may differ: both results are kept then. */
  readonly varies?: string
}

/** Half a second is within every deadline, and ten seconds are beyond none of Synapse's. */
const pingTimeout = "5 seconds"

const json = { "Content-Type": "application/json" }

const beyond: ReadonlyArray<readonly [string, Fault.Fault]> = [
  ["200 {}", Fault.status(200, { headers: json, body: "{}" })],
  ["200 []", Fault.status(200, { headers: json, body: "[]" })],
  ["200 NaN", Fault.status(200, { headers: json, body: "NaN" })],
  ["200, empty", Fault.status(200, { headers: json, body: "" })],
  ["200 {} between spaces", Fault.status(200, { headers: json, body: " \n{}\n " })],
  ["303 without a location", Fault.status(303)],
  ["301 without a location", Fault.status(301)],
  ["407", Fault.status(407, { body: "login" })],
  ["413", Fault.status(413)],
  ["425", Fault.status(425)]
]

/** What a fault does before there is a connection is the system's, not the proxy's. */
const isForProxy = (fault: Fault.Fault): boolean => fault.type !== "dns"

/** What depends on which of two things Synapse notices first: 502 or 504, from run to run. */
const variesOf = ({ type, ...fault }: Fault.Fault): string | undefined => {
  if (type === "tls") return "whether Synapse notices the failed handshake or the end of the connection first"
  if (!("phase" in fault) || (type !== "reset_peer" && type !== "close")) return undefined
  if (fault.phase === "handshake") {
    return "whether Synapse notices the failed handshake or the end of the connection first"
  }
  return fault.phase === "accept" ? "whether the end comes before the connection is established for Synapse" : undefined
}

/** The handshake never ends then, and two deadlines of Synapse run out at about the same time. */
const handshakeVaries = (fault: Fault.Fault, tls: boolean): string | undefined =>
  tls && fault.type === "stall" && fault.phase === "accept" ? "which deadline of Synapse is first" : undefined

const cell = (title: string, fault: Fault.Fault, tls: boolean): Cell => {
  const varies = variesOf(fault) ?? handshakeVaries(fault, tls)
  return { title, fault, tls, ...varies === undefined ? {} : { varies } }
}

const overTls: ReadonlyArray<readonly [string, Fault.Fault]> = [
  ["TLS, healthy", Fault.pass],
  ["TLS, reset at once", Fault.resetPeer({ phase: "accept" })],
  ["TLS, reset before the headers", Fault.resetPeer({ phase: "before_headers" })],
  ["TLS, closed in the body", Fault.close({ phase: "in_body" })],
  ["TLS, stalled at once", Fault.stall({ phase: "accept" })]
]

/** All cells, those of the catalogue first. */
export const cells: ReadonlyArray<Cell> = [
  ...Catalogue.singles({ pingTimeout })
    .filter(({ fault, leg }) => leg === "to_appservice" && isForProxy(fault))
    .map(({ fault }) => cell(Fault.describe(fault), fault, Fault.needsTls(fault))),
  ...beyond.map(([title, fault]) => cell(title, fault, false)),
  ...overTls.map(([title, fault]) => cell(title, fault, true))
]
