import { heldToFaults } from "./support/heldToFaults.ts"

heldToFaults({
  name: "conduit",
  file: "conduit-0.11.0-alpha-faults.jsonl",
  cells: 175,
  deadline: 75.1,
  trusts: false,
  isSecure: ({ plan }) => plan["type"] === "tls",
  exception: ({ plan }) => {
    if (plan["type"] === "dns") {
      return { leftOut: "a proxy cannot make a name unknown, so that what was measured is a reset" }
    }
    if (plan["defect"] === "self-signed") return { withoutText: "the text is of the machine's own trust" }
    return {}
  }
})
