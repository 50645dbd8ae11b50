// A small bridge on matrix-appservice-bridge: it starts, registers its bot and serves on. The framework has no ping.
import { createRequire } from "node:module"
import { join } from "node:path"

const { PEER_DOMAIN, PEER_FOLDER, PEER_HOMESERVER, PEER_PORT, PEER_REGISTRATION } = process.env
const { Bridge } = createRequire(join(PEER_FOLDER, "package.json"))("matrix-appservice-bridge")

const say = (text) => console.log(`peer: ${text}`)

const bridge = new Bridge({
  homeserverUrl: PEER_HOMESERVER,
  domain: PEER_DOMAIN,
  registration: PEER_REGISTRATION,
  disableStores: true,
  controller: { onEvent: () => undefined }
})

try {
  await bridge.run(Number(PEER_PORT), undefined, "127.0.0.1")
  say("listening")
  await bridge.getIntent().ensureRegistered(true)
  say("registered")
} catch (error) {
  say(`failed ${String(error?.body?.errcode ?? error?.message ?? error)}`)
}
