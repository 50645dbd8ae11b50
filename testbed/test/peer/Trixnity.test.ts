import { heldToRequests, refusesElsewhere } from "./support/heldToRequests.ts"

heldToRequests("trixnity", "appservice-trixnity-5.5.2.txt")
refusesElsewhere("trixnity", 403, "M_FORBIDDEN")
