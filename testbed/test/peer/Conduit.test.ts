import { heldToFaults, rustException } from "./support/heldToFaults.ts"

heldToFaults({
  name: "conduit",
  file: "conduit-0.11.0-alpha-faults.jsonl",
  cells: 175,
  deadline: 75.1,
  trusts: false,
  isSecure: ({ plan }) => plan["type"] === "tls",
  exception: rustException
})
