import { type Exception, heldToFaults } from "./support/heldToFaults.ts"
import { heldToRules } from "./support/heldToRules.ts"
import type { FaultCell } from "./support/measured.ts"

/** The rows that were measured with a url of https. */
const isSecure = ({ fault, plan }: FaultCell): boolean =>
  plan["type"] === "tls" || plan["at"] === "handshake" || fault.startsWith("TLS ")

const timedOut = {
  status: 504,
  errcode: "M_CONNECTION_TIMEOUT",
  error: "Timeout waiting for response from remote server"
}

// The measurement had a certificate for *.test, which Synapse refuses; `npm run interop` has one that it accepts.
const exceptions: { readonly [fault: string]: Exception } = {
  "TLS healthy": { corrected: { status: 200, errcode: null, error: "" } },
  "TLS reset before the headers": { corrected: timedOut },
  "TLS closed in the body": {
    corrected: {
      error:
        "ResponseFailed: [<twisted.python.failure.Failure twisted.internet.error.ConnectionDone: Connection was closed cleanly.>, <twisted.python.failure.Failure twisted.web.http._DataLoss: >]"
    }
  },
  "TLS: client-certificate-required": { corrected: timedOut },
  // These vary from run to run.
  "TLS: expired": { alsoRight: "502 M_CONNECTION_FAILED" },
  "TLS reset at once": { alsoRight: "504 M_CONNECTION_TIMEOUT" },
  "reset at once": { alsoRight: "504 M_CONNECTION_TIMEOUT" }
}

heldToFaults({
  name: "synapse",
  file: "synapse-1.163.2-faults.jsonl",
  cells: 195,
  deadline: 75.1,
  trusts: true,
  isSecure,
  exception: ({ fault }) => exceptions[fault] ?? {}
})

heldToRules("synapse-1.163.2-rules.jsonl")
