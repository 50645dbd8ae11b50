import { type Exception, heldToFaults } from "./support/heldToFaults.ts"
import { heldToRules } from "./support/heldToRules.ts"
import type { FaultCell } from "./support/measured.ts"

/** The rows that were measured with a url of https. */
const isSecure = ({ fault, plan }: FaultCell): boolean =>
  plan["type"] === "tls" || plan["at"] === "handshake" || fault.startsWith("TLS ")

const spoiled: Exception = { leftOut: "Synapse refused the testbed's certificate for its name *.test" }

const exceptions: { readonly [fault: string]: Exception } = {
  "TLS healthy": spoiled,
  "TLS reset before the headers": spoiled,
  "TLS closed in the body": spoiled,
  // With a certificate that Synapse accepts.
  "TLS: client-certificate-required": {
    corrected: {
      status: 504,
      errcode: "M_CONNECTION_TIMEOUT",
      error: "Timeout waiting for response from remote server"
    }
  },
  // These vary from run to run.
  "TLS: expired": { alsoRight: "502 M_CONNECTION_FAILED" },
  "TLS reset at once": { alsoRight: "504 M_CONNECTION_TIMEOUT" },
  "reset at once": { alsoRight: "504 M_CONNECTION_TIMEOUT" }
}

heldToFaults({
  name: "synapse",
  file: "synapse-1.163.2-faults.jsonl",
  cells: 192,
  deadline: 75.1,
  trusts: true,
  isSecure,
  exception: ({ fault }) => exceptions[fault] ?? {}
})

heldToRules("synapse-1.163.2-rules.jsonl")
