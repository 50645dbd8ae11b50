/** Shows that real appservices start against a homeserver, and that the command line is right about them. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { domain, type Homeserver } from "./Homeservers.ts"
import type { Lab, Running } from "./Lab.ts"
import type { AppservicePeer, Fields } from "./Peer.ts"
import { record, type Seen } from "./Recorder.ts"

const startMillisMax = 60_000

/** A registration of an appservice, and its file. */
export interface Registered {
  readonly peer: AppservicePeer
  readonly folder: string
  readonly port: number
  readonly fields: Fields
  readonly file: string
}

/** What one appservice did at its start. */
export interface StartUp {
  readonly peer: string
  readonly homeserver: string
  readonly result: "up" | "failed"
  readonly requests: ReadonlyArray<Seen>
  readonly complaints: ReadonlyArray<string>
}

/** Writes the registration of an appservice that will listen on a free port. */
export const register = async (lab: Lab, peer: AppservicePeer, folder: string, tag: string): Promise<Registered> => {
  const port = await lab.freePort()
  const id = `${peer.name}-${tag}`
  const fields: Fields = {
    id,
    url: `http://127.0.0.1:${port}`,
    as_token: `as_${id}_4f6b1d0c9e7a2b35`,
    hs_token: `hs_${id}_8c2e5a7d1f3b6094`,
    sender_localpart: `${peer.name}bot`
  }
  // A regex that only this appservice's users fit: Synapse wants it, and matrix-appservice-bridge a prefix of it.
  const namespaces = { users: [{ exclusive: true, regex: `@${peer.name}_.*:.*` }], aliases: [], rooms: [] }
  const content = { ...fields, rate_limited: false, namespaces }
  const file = await lab.file(`${id}.yaml`, JSON.stringify(content))
  return { peer, folder, port, fields, file }
}

/** An appservice that was started. */
export interface Started {
  readonly running: Running
  readonly startUp: StartUp
}

const first = async (running: Running, up: RegExp, down: RegExp): Promise<string | undefined> => {
  const both = new RegExp(`${up.source}|${down.source}`, "m")
  const [text] = await running.until(both, startMillisMax)
  return up.test(text) ? undefined : text
}

/** The users' names differ between runs in nothing, ports and transaction ids do. */
const plain = ({ request, status }: Seen): Seen => ({ request: decodeURIComponent(request), status })

/** Starts an appservice against a homeserver, and sees what it asks. */
export const start = async (lab: Lab, registered: Registered, homeserver: Homeserver): Promise<Started> => {
  const { fields, file, folder, peer, port } = registered
  const recorder = await record(lab, homeserver.url)
  const state = join(await lab.folder(), fields.id)
  await mkdir(state, { recursive: true })
  const surroundings = { folder, state, registration: file, fields, homeserver: recorder.url, domain, port }
  const { files = {}, ...command } = peer.start(surroundings)
  for (const [name, content] of Object.entries(files)) await writeFile(join(state, name), content)
  const running = lab.start(command)
  const complaints: Array<string> = []
  try {
    await running.until(peer.listening, startMillisMax)
    const failure = await first(running, peer.up, peer.down)
    if (failure !== undefined) complaints.push(failure.slice(0, 300))
  } catch (error) {
    complaints.push(error instanceof Error ? error.message : String(error))
  }
  const requests = recorder.seen().map(plain)
  if (peer.pings && !requests.some(({ request, status }) => request.includes("/ping") && status === 200)) {
    complaints.push("it got no answer 200 to a ping")
  }
  const result = complaints.length === 0 ? "up" : "failed"
  return { running, startUp: { peer: peer.name, homeserver: homeserver.name, result, requests, complaints } }
}
