import { heldToRequests, refusesElsewhere } from "./support/heldToRequests.ts"

heldToRequests("matrix_bot_sdk_element", "appservice-matrix-bot-sdk-element-0.8.0.txt")
refusesElsewhere("matrix_bot_sdk_element", 401, "AUTH_FAILED")
