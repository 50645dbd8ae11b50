import { heldToRequests, refusesElsewhere } from "./support/heldToRequests.ts"

heldToRequests("matrix_appservice_bridge", "appservice-matrix-appservice-bridge-11.2.0.txt")
refusesElsewhere("matrix_appservice_bridge", 403, "M_FORBIDDEN")
