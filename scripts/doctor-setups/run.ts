/**
 * Builds broken set-ups for real and lets the doctor look at each: `npm run doctor:setups`. It needs `nginx`, `openssl`
 * and `unshare`; nothing is left out where one is missing. Arguments select set-ups by words of their titles.
 */
import * as Json from "@appservice-ping/domain/Json"
import { Predicate } from "effect"
import { execFileSync } from "node:child_process"
import { makeCertificates } from "./certificates.ts"
import type { Setup, Tools } from "./Setup.ts"
import { setups } from "./setups.ts"
import { Site, tokens } from "./Site.ts"

/** How many set-ups are built at once. */
const concurrency = 2

const setupMillisMax = 60_000

interface Outcome {
  readonly title: string
  readonly complaints: ReadonlyArray<string>
  readonly cause: string
  readonly seconds: number
}

/** Finds a command; with `CI` set, where needed by installing Debian's package of it. Nobody else is installed for. */
const need = (command: string, aptPackage: string): string => {
  const find = () => {
    try {
      return execFileSync("sh", ["-c", `PATH="$PATH:/usr/sbin:/sbin" command -v ${command}`], { encoding: "utf8" })
        .trim()
    } catch {
      return undefined
    }
  }
  const found = find()
  if (found !== undefined) return found
  if (process.env["CI"] === undefined) throw new Error(`the set-ups need ${command}: install the package ${aptPackage}`)
  const sudo = process.getuid?.() === 0 ? "" : "sudo -n "
  const install = `${sudo}apt-get install -y -qq ${aptPackage}`
  try {
    execFileSync("sh", ["-c", `${install} || { ${sudo}apt-get update -qq && ${install}; }`], {
      stdio: ["ignore", "ignore", "inherit"],
      timeout: 120_000
    })
  } catch {
    // What is missing is told below.
  }
  const installed = find()
  if (installed === undefined) throw new Error(`the set-ups need ${command}: install the package ${aptPackage}`)
  return installed
}

const check = ({ expected }: Setup, code: number | null, stdout: string, stderr: string): ReadonlyArray<string> => {
  const report = Json.parse(stdout)
  if (!Predicate.isObject(report) || !Predicate.isObject(report["conclusion"]) || !Array.isArray(report["checks"])) {
    return [`no report (exit code ${code}): ${stdout}${stderr}`]
  }
  const { conclusion } = report
  const ok = expected.ok ?? false
  const complaints: Array<string> = []
  const same = (what: string, actual: unknown, wanted: unknown) => {
    if (actual !== wanted) complaints.push(`${what} is ${String(actual)}, not ${String(wanted)}`)
  }
  same("exit code", code, expected.code ?? (ok ? 0 : 1))
  same("ok", report["ok"], ok)
  same("actor", conclusion["actor"], expected.actor)
  if (expected.temporary !== undefined) same("temporary", conclusion["temporary"], expected.temporary)
  for (const field of ["cause", "advice"] as const) {
    const text = conclusion[field]
    if (typeof text !== "string" || !expected[field].test(text)) {
      complaints.push(`${field} does not fit ${expected[field]}: ${String(text)}`)
    }
  }
  const checks = report["checks"].filter(Predicate.isObject)
  for (const [id, status] of Object.entries(expected.checks ?? {})) {
    same(`check ${id}`, checks.find((check) => check["id"] === id)?.["status"], status)
  }
  for (const token of Object.values(tokens)) {
    if (`${stdout}${stderr}`.includes(token)) complaints.push("a token stands in the output")
  }
  if (stderr !== "") complaints.push(`stderr is not empty: ${stderr}`)
  return complaints
}

const causeOf = (stdout: string): string => {
  const report = Json.parse(stdout)
  return Predicate.isObject(report) && Predicate.isObject(report["conclusion"])
    ? String(report["conclusion"]["cause"])
    : ""
}

const inTime = async <A>(work: Promise<A>): Promise<A> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${setupMillisMax / 1000} s`)), setupMillisMax)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

const sites = new Set<Site>()

const examine = async (setup: Setup, tools: Tools): Promise<Outcome> => {
  const site = new Site()
  sites.add(site)
  const start = performance.now()
  const outcome = (complaints: ReadonlyArray<string>, cause = ""): Outcome => ({
    title: setup.title,
    complaints,
    cause,
    seconds: (performance.now() - start) / 1000
  })
  try {
    return await inTime((async () => {
      const { args = [], env = {}, homeserver, registration } = await setup.build(site, tools)
      const call = ["--registration", registration, "--homeserver", homeserver, ...args]
      const { code, stderr, stdout } = await site.doctor(call, env)
      return outcome(check(setup, code, stdout, stderr), causeOf(stdout))
    })())
  } catch (error) {
    return outcome([`it could not be built: ${error instanceof Error ? error.message : String(error)}`])
  } finally {
    await site.end()
    sites.delete(site)
  }
}

const print = ({ cause, complaints, seconds, title }: Outcome): void => {
  console.log(`${complaints.length === 0 ? "ok    " : "FAILED"} ${title} (${seconds.toFixed(1)} s)`)
  if (cause !== "") console.log(`         ${cause}`)
  for (const complaint of complaints) console.log(`       ! ${complaint}`)
}

const main = async (): Promise<number> => {
  const words = process.argv.slice(2)
  const selected = setups.filter(({ title }) => words.every((word) => title.includes(word)))
  const nginx = need("nginx", "nginx-light")
  need("openssl", "openssl")
  need("unshare", "util-linux")
  need("ip", "iproute2")
  const shared = new Site()
  sites.add(shared)
  try {
    const tools: Tools = { nginx, certificates: await makeCertificates(await shared.folder()) }
    const outcomes: Array<Outcome> = []
    const queue = [...selected]
    const work = async () => {
      for (let setup = queue.shift(); setup !== undefined; setup = queue.shift()) {
        const outcome = await examine(setup, tools)
        outcomes.push(outcome)
        print(outcome)
      }
    }
    await Promise.all(Array.from({ length: concurrency }, work))
    const failed = outcomes.filter(({ complaints }) => complaints.length > 0).length
    console.log(`${outcomes.length - failed} passed, ${failed} failed`)
    return failed === 0 && outcomes.length > 0 ? 0 : 1
  } finally {
    await shared.end()
    sites.delete(shared)
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void Promise.all([...sites].map((site) => site.end())).finally(() => process.exit(1))
  })
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  console.log("0 passed, 1 failed")
  process.exitCode = 1
}
