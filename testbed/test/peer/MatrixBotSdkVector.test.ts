import { heldToRequests, refusesElsewhere } from "./support/heldToRequests.ts"

heldToRequests("matrix_bot_sdk_vector", "appservice-matrix-bot-sdk-vector-0.7.0.txt")
refusesElsewhere("matrix_bot_sdk_vector", 401, "AUTH_FAILED")
