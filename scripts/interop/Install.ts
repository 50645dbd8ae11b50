/** Installs a peer into a folder of its own, once for each set of pins. */
import { createHash } from "node:crypto"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import type { Lab } from "./Lab.ts"
import type { Peer } from "./Peer.ts"

/** Where the environments of the peers are kept: the folder that `INTEROP_CACHE` names, or one that git ignores. */
const cache = resolve(process.env["INTEROP_CACHE"] ?? join(import.meta.dirname, "../../node_modules/.cache/interop"))

/** Where the pins and the program of a peer are. */
export const sourceOf = (peer: Peer): string => join(import.meta.dirname, "peers", peer.name)

const installMillisMax = 420_000

/** A peer that is there, or why it is not. */
export type Installation =
  | { readonly _tag: "Installed"; readonly peer: Peer; readonly folder: string; readonly seconds: number }
  | { readonly _tag: "Missing"; readonly peer: Peer; readonly why: string }

const filesOf = (folder: string): ReadonlyArray<string> => readdirSync(folder).toSorted()

const keyOf = (peer: Peer): string => {
  const hash = createHash("sha256").update(`${process.version} ${process.platform} ${process.arch}`)
  for (const file of filesOf(sourceOf(peer))) hash.update(file).update(readFileSync(join(sourceOf(peer), file)))
  return hash.digest("hex").slice(0, 12)
}

const lastLines = (text: string): string => text.trim().split("\n").slice(-4).join(" | ")

const attempt = async (lab: Lab, peer: Peer, folder: string): Promise<string | undefined> => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const file of filesOf(sourceOf(peer))) cpSync(join(sourceOf(peer), file), join(folder, file))
  for (const { args, command, env = {} } of peer.install) {
    try {
      const { code, stderr, stdout } = await lab.run({ command, args, env, cwd: folder }, installMillisMax)
      if (code !== 0) return `${command} ${args.join(" ")} ended with ${code}: ${lastLines(stderr || stdout)}`
    } catch (error) {
      return `${command}: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  return undefined
}

/** Installs a peer where it is not there yet; what fails is tried a second time, because registries fail at times. */
export const install = async (lab: Lab, peer: Peer): Promise<Installation> => {
  const folder = join(cache, `${peer.name}-${keyOf(peer)}`)
  const stamp = join(folder, ".installed")
  const start = performance.now()
  if (!existsSync(stamp)) {
    const why = await attempt(lab, peer, folder) === undefined ? undefined : await attempt(lab, peer, folder)
    if (why !== undefined) return { _tag: "Missing", peer, why }
    writeFileSync(stamp, "")
  }
  return { _tag: "Installed", peer, folder, seconds: (performance.now() - start) / 1000 }
}
