/** What runs in the other network: the homeserver, and the relay that leads to it. */
import { spawn } from "node:child_process"
import { relay } from "./elsewhere.ts"

const [, , bin = "", registration = "", path = ""] = process.argv

const child = spawn(process.execPath, [bin, "homeserver", "--registration", registration, "--port", "0"], {
  stdio: ["ignore", "pipe", "inherit"]
})
process.once("SIGTERM", () => child.kill("SIGTERM"))
child.once("close", (code) => process.exit(code ?? 1))

let output = ""
child.stdout.setEncoding("utf8").on("data", (text: string) => {
  output += text
  const [, port] = /^homeserver ready at http:\/\/127\.0\.0\.1:(\d+)$/m.exec(output) ?? []
  if (port === undefined) return
  output = ""
  void relay(path, Number(port)).then(() => console.log("elsewhere ready"))
})
