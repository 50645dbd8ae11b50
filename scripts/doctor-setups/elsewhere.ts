/** A homeserver in a network of its own, as in a container: its localhost is not ours. */
import { spawnSync } from "node:child_process"
import { connect, createServer, type Socket } from "node:net"
import { join } from "node:path"
import { bin, type Site } from "./Site.ts"

/** Ways to a network of one's own, the one that needs least first. */
const launchers = [
  ["unshare", "--user", "--map-root-user", "--net"],
  ["unshare", "--net"],
  ["sudo", "-n", "unshare", "--net"]
] as const

const launcher = () => {
  const found = launchers.find(([program, ...args]) =>
    spawnSync(program, [...args, "true"], { stdio: "ignore", timeout: 10_000 }).status === 0
  )
  if (found === undefined) throw new Error("no network namespace can be made: allow user namespaces, or run as root")
  return found
}

/**
 * Starts a homeserver in a network namespace, and gives the origin under which it is reached from here.
 *
 * A socket in the file system is the one thing that both networks share; a relay on each side leads to it.
 */
export const startElsewhere = async (site: Site, registration: string): Promise<string> => {
  const path = join(await site.folder(), "elsewhere.sock")
  const inside = [process.execPath, join(import.meta.dirname, "elsewhere-inside.ts"), bin, registration, path]
  const [program, ...args] = launcher()
  await site.process(
    program,
    [...args, "sh", "-c", "ip link set lo up && exec \"$@\"", "sh", ...inside],
    /^elsewhere ready$/m
  )
  const { origin } = await site.socket((socket: Socket) => {
    const other = connect(path)
    socket.pipe(other).pipe(socket)
    other.on("error", () => socket.destroy())
    socket.on("close", () => other.destroy())
    other.on("close", () => socket.destroy())
  })
  return origin
}

/** Hands on every connection to a path. */
export const relay = (path: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      const other = connect(port, "127.0.0.1")
      socket.pipe(other).pipe(socket)
      other.on("error", () => socket.destroy())
      socket.on("error", () => other.destroy())
      socket.on("close", () => other.destroy())
      other.on("close", () => socket.destroy())
    })
    server.once("error", reject)
    server.listen(path, resolve)
  })
