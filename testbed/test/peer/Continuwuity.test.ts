import { heldToFaults, rustException } from "./support/heldToFaults.ts"

heldToFaults({
  name: "continuwuity",
  file: "continuwuity-26.8.0-alpha.1-faults.jsonl",
  cells: 175,
  deadline: 75.1,
  trusts: false,
  isSecure: ({ plan }) => plan["type"] === "tls",
  exception: rustException
})
