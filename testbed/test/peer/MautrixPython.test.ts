import { heldToRequests, refusesElsewhere } from "./support/heldToRequests.ts"

heldToRequests("mautrix_python", "appservice-mautrix-python-0.20.8.txt")
refusesElsewhere("mautrix_python", 401, "M_UNKNOWN_TOKEN")
