/** The homeservers that the appservices start against: ours, and a real Synapse. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Lab } from "./Lab.ts"

/** The name of the homeservers. */
export const domain = "interop.localhost"

export interface Homeserver {
  readonly name: string
  readonly url: string
}

const startMillisMax = 60_000

/** The reference homeserver, with these registrations. */
export const ours = async (
  lab: Lab,
  registrations: ReadonlyArray<string>,
  env: NodeJS.ProcessEnv = {}
): Promise<Homeserver> => {
  const args = registrations.flatMap((file) => ["--registration", file])
  const running = lab.serve(["homeserver", ...args, "--server-name", domain, "--port", "0"], env)
  const [, url = ""] = await running.until(/^homeserver ready at (\S+)$/m, startMillisMax)
  return { name: "reference homeserver", url }
}

/** A Synapse with SQLite, on loopback only, that talks to no other server. */
export const synapse = async (
  lab: Lab,
  folder: string,
  registrations: ReadonlyArray<string>,
  env: NodeJS.ProcessEnv = {}
): Promise<Homeserver> => {
  const data = join(await lab.folder(), "synapse")
  await mkdir(data, { recursive: true })
  const port = await lab.freePort()
  const log = {
    version: 1,
    formatters: { plain: { format: "%(levelname)s %(name)s %(message)s" } },
    handlers: { console: { class: "logging.StreamHandler", formatter: "plain" } },
    root: { level: "WARNING", handlers: ["console"] }
  }
  const config = {
    server_name: domain,
    listeners: [{
      port,
      type: "http",
      bind_addresses: ["127.0.0.1"],
      resources: [{ names: ["client", "federation"] }]
    }],
    database: { name: "sqlite3", args: { database: join(data, "homeserver.db") } },
    media_store_path: join(data, "media"),
    signing_key_path: join(data, "signing.key"),
    log_config: join(data, "log.yaml"),
    pid_file: join(data, "homeserver.pid"),
    trusted_key_servers: [],
    federation_domain_whitelist: [],
    report_stats: false,
    macaroon_secret_key: "interop",
    form_secret: "interop",
    registration_shared_secret: "interop",
    app_service_config_files: registrations,
    // Pings and start-ups follow one another faster than people type.
    rc_message: { per_second: 1e6, burst_count: 1e6 },
    rc_registration: { per_second: 1e6, burst_count: 1e6 },
    rc_login: { address: { per_second: 1e6, burst_count: 1e6 }, account: { per_second: 1e6, burst_count: 1e6 } }
  }
  await writeFile(join(data, "homeserver.yaml"), JSON.stringify(config))
  await writeFile(join(data, "log.yaml"), JSON.stringify(log))
  const python = join(folder, "venv/bin/python")
  const args = ["-m", "synapse.app.homeserver", "-c", join(data, "homeserver.yaml")]
  const keys = await lab.run({ command: python, args: [...args, "--generate-keys"], env }, startMillisMax)
  if (keys.code !== 0) throw new Error(`Synapse made no keys: ${keys.stderr.trim().slice(-600)}`)
  const running = lab.start({ command: python, args, env })
  const url = `http://127.0.0.1:${port}`
  const until = performance.now() + startMillisMax
  for (;;) {
    const answer = await fetch(`${url}/_matrix/client/versions`).catch(() => undefined)
    if (answer?.ok === true) return { name: "Synapse", url }
    if (performance.now() > until) throw new Error(`Synapse did not start:\n${running.output().slice(-2000)}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
