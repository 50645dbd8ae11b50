/** All set-ups, and what the doctor has to say of each. */
import type { Setup } from "./Setup.ts"
import { appserviceGone } from "./setups/appserviceGone.ts"
import { drift } from "./setups/drift.ts"
import { foreignHomeservers } from "./setups/foreignHomeservers.ts"
import { healthy } from "./setups/healthy.ts"
import { homeservers } from "./setups/homeservers.ts"
import { proxies } from "./setups/proxies.ts"
import { tls } from "./setups/tls.ts"
import { wrongUrl } from "./setups/wrongUrl.ts"

/** All set-ups. */
export const setups: ReadonlyArray<Setup> = [
  ...healthy,
  ...appserviceGone,
  ...wrongUrl,
  ...drift,
  ...proxies,
  ...tls,
  ...homeservers,
  ...foreignHomeservers
]
