/** The peers, each pinned in a folder of its own under `peers/`. */
import { join } from "node:path"
import type { Command } from "./Lab.ts"
import type { AppservicePeer, HomeserverPeer, Peer, Surroundings } from "./Peer.ts"

const pip: ReadonlyArray<Command> = [
  { command: "python3", args: ["-m", "venv", "venv"] },
  {
    command: "venv/bin/pip",
    args: [
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "--no-compile",
      "--require-hashes",
      "-r",
      "requirements.txt"
    ]
  }
]

const npm: ReadonlyArray<Command> = [
  { command: "npm", args: ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"] }
]

const python = (folder: string): string => join(folder, "venv/bin/python")

const environment = ({ domain, folder, homeserver, port, registration }: Surroundings): NodeJS.ProcessEnv => ({
  PEER_DOMAIN: domain,
  PEER_FOLDER: folder,
  PEER_HOMESERVER: homeserver,
  PEER_PORT: `${port}`,
  PEER_REGISTRATION: registration
})

/** Programs of our own around a framework say `peer: …`; real bridges have their own words. */
const program = {
  listening: /^peer: listening$/m,
  up: /^peer: (?:connected \d+|registered)$/m,
  down: /^peer: failed .*$/m
}

const withoutCrypto = join(import.meta.dirname, "peers/matrix-bot-sdk/withoutCrypto.cjs")

const sdk = (
  name: string,
  packageName: string,
  version: string,
  rest: Pick<AppservicePeer, "answers" | "imitation" | "pings">
): AppservicePeer => ({
  kind: "appservice",
  name,
  package: packageName,
  version,
  install: npm,
  ...program,
  ...rest,
  start: (surroundings) => ({
    command: process.execPath,
    args: ["--require", withoutCrypto, join(import.meta.dirname, "peers/matrix-bot-sdk/appservice.mjs")],
    env: { ...environment(surroundings), PEER_PACKAGE: packageName }
  })
})

export const synapse: HomeserverPeer = {
  kind: "homeserver",
  name: "synapse",
  package: "matrix-synapse",
  version: "1.163.2",
  install: pip
}

export const appservices: ReadonlyArray<AppservicePeer> = [
  {
    kind: "appservice",
    name: "mautrix-python",
    package: "mautrix",
    version: "0.20.8",
    install: pip,
    ...program,
    pings: true,
    answers: "ping",
    imitation: "mautrix_python",
    start: (surroundings) => ({
      command: python(surroundings.folder),
      args: [join(surroundings.folder, "appservice.py")],
      env: environment(surroundings)
    })
  },
  {
    kind: "appservice",
    name: "mautrix-telegram",
    package: "mautrix-telegram",
    version: "0.15.3",
    install: pip,
    listening: /Starting appservice web server/,
    up: /Startup actions complete/,
    down: /Error checking homeserver -> bridge connection|Connection to homeserver failed|\[CRITICAL@/,
    pings: true,
    answers: "ping",
    imitation: "mautrix_python",
    start: ({ domain, fields, folder, homeserver, port, state }) => ({
      command: python(folder),
      args: ["-m", "mautrix_telegram", "-n", "-c", join(state, "config.yaml")],
      cwd: state,
      files: {
        "config.yaml": JSON.stringify({
          homeserver: { address: homeserver, domain, software: "standard" },
          appservice: {
            address: fields.url,
            hostname: "127.0.0.1",
            port,
            database: `sqlite:${join(state, "bridge.db")}`,
            id: fields.id,
            bot_username: fields.sender_localpart,
            as_token: fields.as_token,
            hs_token: fields.hs_token
          },
          bridge: { permissions: { [domain]: "full" } },
          telegram: { api_id: 1, api_hash: "none", bot_token: "disabled" },
          logging: {
            version: 1,
            formatters: { normal: { format: "[%(levelname)s@%(name)s] %(message)s" } },
            handlers: { console: { class: "logging.StreamHandler", formatter: "normal" } },
            root: { level: "DEBUG", handlers: ["console"] }
          }
        })
      }
    })
  },
  {
    kind: "appservice",
    name: "heisenbridge",
    package: "heisenbridge",
    version: "1.15.4",
    install: pip,
    listening: /We are @/,
    up: /bridge is now running/,
    down: /Unexpected failure|Traceback/,
    pings: false,
    needsMore: "account data, which the reference homeserver does not keep",
    answers: "ping",
    imitation: "mautrix_python",
    start: ({ folder, homeserver, port, registration }) => ({
      command: python(folder),
      args: ["-m", "heisenbridge", "-vv", "-c", registration, "-l", "127.0.0.1", "-p", `${port}`, homeserver]
    })
  },
  {
    kind: "appservice",
    name: "mautrix-go",
    package: "maunium.net/go/mautrix",
    version: "0.32.0",
    install: [{
      command: "go",
      args: ["build", "-o", "peer", "."],
      env: { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" }
    }],
    ...program,
    pings: true,
    answers: "ping",
    imitation: "mautrix_go",
    start: (surroundings) => ({
      command: join(surroundings.folder, "peer"),
      args: [],
      env: environment(surroundings)
    })
  },
  sdk("matrix-bot-sdk", "matrix-bot-sdk", "0.8.0", { pings: false, answers: "no ping", imitation: "matrix_bot_sdk" }),
  sdk("matrix-bot-sdk-vector", "@vector-im/matrix-bot-sdk", "0.7.0", {
    pings: false,
    answers: "no ping",
    imitation: "matrix_bot_sdk_vector"
  }),
  sdk("matrix-bot-sdk-element", "@vector-im/matrix-bot-sdk", "0.8.0-element.3", {
    pings: true,
    answers: "own pings only",
    imitation: "matrix_bot_sdk_element"
  }),
  {
    kind: "appservice",
    name: "matrix-appservice-bridge",
    package: "matrix-appservice-bridge",
    version: "11.2.0",
    install: npm,
    ...program,
    pings: false,
    answers: "no ping",
    imitation: "matrix_appservice_bridge",
    start: (surroundings) => ({
      command: process.execPath,
      args: ["--require", withoutCrypto, join(surroundings.folder, "appservice.mjs")],
      env: environment(surroundings)
    })
  }
]

export const peers: ReadonlyArray<Peer> = [synapse, ...appservices]
