// A small appservice on a matrix-bot-sdk, whichever of them PEER_PACKAGE names: it registers its bot, pings where the
// SDK has a ping, and serves on.
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"

const { PEER_DOMAIN, PEER_FOLDER, PEER_HOMESERVER, PEER_PACKAGE, PEER_PORT, PEER_REGISTRATION } = process.env
const { Appservice, MemoryStorageProvider } = createRequire(join(PEER_FOLDER, "package.json"))(PEER_PACKAGE)

const say = (text) => console.log(`peer: ${text}`)

const appservice = new Appservice({
  port: Number(PEER_PORT),
  bindAddress: "127.0.0.1",
  homeserverUrl: PEER_HOMESERVER,
  homeserverName: PEER_DOMAIN,
  registration: JSON.parse(readFileSync(PEER_REGISTRATION, "utf8")),
  storage: new MemoryStorageProvider()
})

const describe = (error) => String(error?.body?.errcode ?? error?.message ?? error)

try {
  await appservice.begin()
  say("listening")
  if (appservice.pingHomeserver === undefined) say("registered")
  else {
    const start = performance.now()
    await appservice.pingHomeserver()
    say(`connected ${Math.round(performance.now() - start)}`)
  }
} catch (error) {
  say(`failed ${describe(error)}`)
}
