/**
 * Plays real peers against this project: `npm run interop`. Each peer is installed into an environment of its own from
 * its package registry, pinned in `peers/`; one that cannot be installed is named in capitals, and is no failed check,
 * because a registry that is down says nothing of this project. `--all` plays the faults that take long as well,
 * `--record` keeps the results in `docs/interop`, and words select faults; the word `start-ups`
 * alone leaves them out.
 */
import { mkdirSync } from "node:fs"
import { type Cell, cells } from "./cells.ts"
import * as CommandLine from "./commandLine.ts"
import * as Doctor from "./doctor.ts"
import * as DoctorTable from "./DoctorTable.ts"
import * as Homeservers from "./Homeservers.ts"
import { install, type Installation } from "./Install.ts"
import { Lab } from "./Lab.ts"
import * as Lanes from "./Lanes.ts"
import type { AppservicePeer } from "./Peer.ts"
import { appservices, peers, synapse } from "./peers.ts"
import * as Requests from "./requests.ts"
import * as Results from "./Results.ts"
import { register, start, type StartUp } from "./startUp.ts"

const flags = new Set(process.argv.slice(2).filter((word) => word.startsWith("--")))
const words = process.argv.slice(2).filter((word) => !word.startsWith("--"))

const referenceFile = "reference-faults.jsonl"

/** A run that has little time leaves out what took longer than this when it was recorded, in seconds. */
const quickSeconds = 2

/** Of how many faults a run that has little time asks the doctor. */
const quickEvery = 6

const lab = new Lab()
const outcomes: Array<{ readonly title: string; readonly complaints: ReadonlyArray<string> }> = []

const tell = (title: string, complaints: ReadonlyArray<string>): void => {
  outcomes.push({ title, complaints })
  console.log(`${complaints.length === 0 ? "ok    " : "FAILED"} ${title}`)
  for (const complaint of complaints) console.log(`       ! ${complaint.replaceAll("\n", "\n         ")}`)
}

const missing: Array<Extract<Installation, { readonly _tag: "Missing" }>> = []

/** Said at once and at the end, because a run prints much in between. */
const sayMissing = (): void => {
  for (const { peer, why } of missing) {
    console.log("!".repeat(100))
    console.log(`!! ${peer.package} ${peer.version} COULD NOT BE INSTALLED: NOTHING IS SHOWN OF IT.`)
    console.log(`!! ${why}`)
    console.log("!".repeat(100))
  }
}

const attempt = async (title: string, work: () => Promise<ReadonlyArray<string>>): Promise<void> => {
  try {
    tell(title, await work())
  } catch (error) {
    tell(title, [error instanceof Error ? error.message : String(error)])
  }
}

const installAll = async (): Promise<ReadonlyMap<string, string>> => {
  const queue = [...peers]
  const done: Array<Installation> = []
  const work = async () => {
    for (let peer = queue.shift(); peer !== undefined; peer = queue.shift()) done.push(await install(lab, peer))
  }
  await Promise.all([work(), work()])
  for (const one of done) if (one._tag === "Missing") missing.push(one)
  sayMissing()
  return new Map(done.flatMap((one) => one._tag === "Installed" ? [[one.peer.name, one.folder]] : []))
}

/** On a homeserver that is not one in full, a bridge that needs more comes as far as the requests of its start. */
const isFarEnough = ({ requests }: StartUp, needsMore: string | undefined, homeserver: string): boolean =>
  needsMore !== undefined && homeserver !== "Synapse" &&
  requests.some(({ request, status }) => request.includes("/whoami") && status === 200)

/** A start-up as it is compared: what an appservice asks at once comes in any order. */
const asCompared = ({ requests, result }: StartUp): ReadonlyArray<string> => [
  result,
  ...new Set(requests.map(({ request, status }) => `${request}: ${status}`).toSorted())
]

/** What differs from the recorded start-up. */
const startUpDifferences = (now: StartUp): ReadonlyArray<string> => {
  if (flags.has("--record")) return []
  const recorded = Results.readStartUps("start-ups.jsonl")
  const then = recorded.find(({ homeserver, peer }) => peer === now.peer && homeserver === now.homeserver)
  if (then === undefined) return ["was not recorded"]
  const [before, after] = [asCompared(then), asCompared(now)]
  return [
    ...after.filter((line) => !before.includes(line)).map((line) => `${line}, which is not recorded`),
    ...before.filter((line) => !after.includes(line)).map((line) => `no longer: ${line}`)
  ]
}

const startUps = async (installed: ReadonlyMap<string, string>): Promise<ReadonlyArray<StartUp>> => {
  const found: Array<StartUp> = []
  const there = appservices.filter(({ name }) => installed.has(name))
  const synapseFolder = installed.get(synapse.name)
  for (const tag of synapseFolder === undefined ? ["ours"] : ["ours", "synapse"]) {
    const registered = await Promise.all(there.map((peer) => register(lab, peer, installed.get(peer.name) ?? "", tag)))
    const [first] = appservices
    if (first === undefined) return found
    const alone = await register(lab, { ...first, name: "alone" }, "", tag)
    const files = [...registered, alone].map(({ file }) => file)
    const homeserver = tag === "ours" || synapseFolder === undefined
      ? await Homeservers.ours(lab, files)
      : await Homeservers.synapse(lab, synapseFolder, files)
    await attempt(`ping --verify, ${homeserver.name}`, () => CommandLine.verify(lab, homeserver, alone.file))
    for (const one of registered) {
      const { answers, imitation, name, needsMore } = one.peer
      await attempt(`start-up of ${name}, ${homeserver.name}`, async () => {
        const { running, startUp } = await start(lab, one, homeserver)
        found.push(startUp)
        if (startUp.result === "up") {
          const complaints = await CommandLine.ask(lab, homeserver, one.file, answers)
          // What it answers does not depend on its homeserver.
          const { differences, requests } = tag === "ours" || name === "heisenbridge"
            ? await Requests.compare(imitation, one.fields)
            : { differences: [], requests: 0 }
          if (requests > 0) {
            console.log(`       ${requests} requests of A1 to A9, ${differences.length} not as ${imitation} answers`)
          }
          await running.stop()
          return [...complaints, ...differences, ...startUpDifferences(startUp)]
        }
        await running.stop()
        if (!isFarEnough(startUp, needsMore, homeserver.name)) return startUp.complaints
        console.log(`       ${name} has registered and knows who it is; it needs ${needsMore}`)
        return startUpDifferences(startUp)
      })
    }
  }
  return found
}

const isSelected = (recorded: ReadonlyMap<string, Lanes.Row>) => ({ title }: Cell): boolean =>
  words.length > 0
    ? words.some((word) => title.includes(word))
    : flags.has("--all") || (recorded.get(title)?.seconds ?? 0) <= quickSeconds

const faults = async (name: string, file: string, folder: string | undefined): Promise<void> => {
  const site = new Lab()
  try {
    const port = await site.freePort()
    const fields = { id: "played", url: `http://127.0.0.1:${port}`, as_token: "as_played", hs_token: "hs_played" }
    const registration = await site.file(
      "played.yaml",
      JSON.stringify({ ...fields, sender_localpart: "played", namespaces: {} })
    )
    const args = ["appservice", "--registration", registration, "--host", "127.0.0.1", "--port", `${port}`]
    await site.serve(args).until(/^appservice ready at/m, 60_000)
    const kinds = [...Array.from({ length: 5 }, () => ({ tls: false })), { tls: true }, { tls: true }]
    const lanes = await Lanes.open(site, { port, hs_token: fields.hs_token, name: "lane" }, kinds)
    const files = lanes.map((lane) => lane.file)
    const trusted = lanes.find(({ tls }) => tls)?.ca ?? ""
    const homeserver = folder === undefined
      ? await Homeservers.ours(site, files, { NODE_EXTRA_CA_CERTS: trusted })
      : await Homeservers.synapse(site, folder, files, { SSL_CERT_FILE: trusted })
    const recorded = Results.read(file)
    const queue = cells.filter(isSelected(recorded))
    const rows = await Lanes.inLanes(lanes, queue, (lane, cell) => Lanes.play(homeserver, lane, cell))
    const differenceOf = (row: Lanes.Row, index: number): string | undefined => {
      const then = recorded.get(row.fault)
      return then === undefined ? "was not recorded" : Results.difference(row, then, queue[index] ?? {})
    }
    const changed = rows.filter((row, index) => differenceOf(row, index) !== undefined)
    const differences = rows.flatMap((row, index) => {
      const different = differenceOf(row, index)
      return different === undefined ? [] : [`${row.fault}: ${different}`]
    })
    if (flags.has("--record")) {
      // Where nothing differs the old row stays, because the seconds always do.
      const all = new Map([...recorded, ...changed.map((row) => [row.fault, row] as const)])
      Results.write(file, cells.flatMap(({ title }) => all.get(title) ?? []))
    }
    const left = cells.length - queue.length
    tell(
      `${queue.length} faults, ${name}${left > 0 ? `; ${left} left out, which --all plays` : ""}`,
      flags.has("--record") ? [] : differences
    )
    if (flags.has("--record")) { for (const difference of differences) console.log(`       recorded: ${difference}`) }
    await doctor(site, name, homeserver, lanes, queue)
  } finally {
    await site.end()
  }
}

/** Plays faults between the reference homeserver and a real framework: what they end in is what ends our appservice. */
const faultsBefore = async (peer: AppservicePeer, folder: string): Promise<void> => {
  const site = new Lab()
  try {
    const registered = await register(site, peer, folder, "faults")
    const { hs_token } = registered.fields
    const kinds = Array.from({ length: 5 }, () => ({ tls: false }))
    const lanes = await Lanes.open(site, { port: registered.port, hs_token, name: "lane" }, kinds)
    const homeserver = await Homeservers.ours(site, [registered.file, ...lanes.map((lane) => lane.file)])
    const { startUp } = await start(site, registered, homeserver)
    if (startUp.result === "failed") return tell(`faults before ${peer.name}`, startUp.complaints)
    const recorded = Results.read(referenceFile)
    const queue = cells.filter((cell) => !cell.tls && isSelected(recorded)(cell))
    const rows = await Lanes.inLanes(lanes, queue, (lane, cell) => Lanes.play(homeserver, lane, cell))
    const differences = rows.flatMap((row, index) => {
      const then = recorded.get(row.fault)
      const different = then === undefined ? "was not recorded" : Results.difference(row, then, queue[index] ?? {})
      return different === undefined ? [] : [`${row.fault}: ${different}`]
    })
    tell(`${queue.length} faults before ${peer.name}, as before our own appservice`, differences)
  } finally {
    await site.end()
  }
}

const doctor = async (
  site: Lab,
  name: string,
  homeserver: Homeservers.Homeserver,
  lanes: ReadonlyArray<Lanes.Lane>,
  queue: ReadonlyArray<Cell>
): Promise<void> => {
  const asked = flags.has("--all") || words.length > 0 ? queue : queue.filter((_, index) => index % quickEvery === 0)
  const said = await Lanes.inLanes(lanes, asked, (lane, cell) => Doctor.examine(site, homeserver, lane, cell))
  const wrong = said.filter(({ verdict }) => /[A-Z]{4}/.test(verdict))
  const others = said.filter(({ verdict }) => verdict === "another person").length
  tell(
    `the doctor over ${said.length} faults, ${name}: ${
      said.length - wrong.length - others
    } right, ${others} name another person`,
    wrong.map(({ cause, code, fault, verdict }) => `${fault}: ${verdict}: ${cause} (exit code ${code})`)
  )
  if (flags.has("--record")) DoctorTable.write(name, said)
}

const main = async (): Promise<void> => {
  mkdirSync(Results.folder, { recursive: true })
  const installed = await installAll()
  if (words.length === 0 || words.includes("start-ups")) {
    const found = await startUps(installed)
    if (flags.has("--record")) Results.write("start-ups.jsonl", found)
  }
  if (words.length === 1 && words.includes("start-ups")) return
  const folder = installed.get(synapse.name)
  if (folder !== undefined) {
    await faults(`Synapse ${synapse.version}`, `synapse-${synapse.version}-faults.jsonl`, folder)
  }
  await faults("the reference homeserver", referenceFile, undefined)
  for (const peer of appservices) {
    const folder = installed.get(peer.name)
    // The others answer a ping that they have not sent with an error, whatever is played.
    if (folder !== undefined && peer.answers === "ping" && peer.needsMore === undefined) {
      await faultsBefore(peer, folder)
    }
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void lab.end().finally(() => process.exit(1)))
}

try {
  await main()
} catch (error) {
  tell("interop", [error instanceof Error ? error.message : String(error)])
} finally {
  await lab.end()
}
const failed = outcomes.filter(({ complaints }) => complaints.length > 0).length
sayMissing()
console.log(`${outcomes.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 && outcomes.length > 0 ? 0 : 1
