import { heldToRequest, heldToRequests, refusesElsewhere } from "./support/heldToRequests.ts"

heldToRequests("mautrix_go", "appservice-mautrix-go-0.32.0.txt")
refusesElsewhere("mautrix_go", 401, "M_UNKNOWN_TOKEN")
heldToRequest("mautrix_go", "A4 not UTF-8", 200, "{}")
