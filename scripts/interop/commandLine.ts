/** Holds `ping`, `doctor` and `watch` against real peers. */
import type { Homeserver } from "./Homeservers.ts"
import type { Lab } from "./Lab.ts"
import type { AppservicePeer } from "./Peer.ts"

const millisMax = 120_000

const last = (text: string): string => text.trim().split("\n").at(-1) ?? ""

/** With which code `ping` and `doctor` have to end. */
const codes: { readonly [answers in AppservicePeer["answers"]]: number } = {
  "ping": 0,
  "own pings only": 0,
  "no ping": 1
}

const words: { readonly [answers in AppservicePeer["answers"]]: RegExp } = {
  "ping": /"ok":\s*true/,
  "own pings only": /answers only its own pings/,
  "no ping": /has no ping|does not know the ping/
}

/** Asks all three about an appservice; succeeds with what is wrong. */
export const ask = async (
  lab: Lab,
  homeserver: Homeserver,
  registration: string,
  answers: AppservicePeer["answers"]
): Promise<ReadonlyArray<string>> => {
  const complaints: Array<string> = []
  const to = ["--registration", registration, "--homeserver", homeserver.url]
  const wanted = codes[answers]
  for (const command of ["ping", "doctor"]) {
    const { code, stderr, stdout } = await lab.cli([command, ...to, "--json"], millisMax)
    if (code !== wanted) complaints.push(`${command} ends with ${code}, not ${wanted}: ${last(stdout) || last(stderr)}`)
    else if (command === "doctor" && !words[answers].test(stdout)) {
      complaints.push(`doctor does not say ${words[answers]}: ${stdout.slice(0, 600)}`)
    }
  }
  const watching = lab.serve(["watch", ...to, "--json", "--interval", "5 seconds"])
  try {
    const [line] = await watching.until(/^\{.*\}$/m, millisMax)
    const isHealthy = /"health":\s*"(?:healthy|reached)|"ok":\s*true|"reached":\s*true|"status":\s*"healthy"/i.test(
      line
    )
    if (isHealthy !== (wanted === 0)) complaints.push(`watch says ${line}`)
  } catch (error) {
    complaints.push(error instanceof Error ? error.message : String(error))
  } finally {
    await watching.stop()
  }
  return complaints
}

/** `ping --verify` in the place of an appservice that is not there. */
export const verify = async (
  lab: Lab,
  homeserver: Homeserver,
  registration: string
): Promise<ReadonlyArray<string>> => {
  const args = ["ping", "--verify", "--registration", registration, "--homeserver", homeserver.url]
  const { code, stderr, stdout } = await lab.cli(args, millisMax)
  return code === 0 ? [] : [`ping --verify ends with ${code}: ${last(stdout) || last(stderr)}`]
}
