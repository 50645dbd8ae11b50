import { heldToRequests, refusesElsewhere } from "./support/heldToRequests.ts"

// It has not been measured; the code of these routes is that of the measured one.
heldToRequests("matrix_bot_sdk", "appservice-matrix-bot-sdk-vector-0.7.0.txt")
refusesElsewhere("matrix_bot_sdk", 401, "AUTH_FAILED")
