import { heldToRequest, heldToRequests, refusesElsewhere } from "./support/heldToRequests.ts"

// `npm run interop` has measured that it answers as the other one does.
heldToRequests("matrix_bot_sdk", "appservice-matrix-bot-sdk-vector-0.7.0.txt")
refusesElsewhere("matrix_bot_sdk", 401, "AUTH_FAILED")
heldToRequest(
  "matrix_bot_sdk",
  "A4 not json",
  400,
  "(line 1 column 2)<br> &nbsp; &nbsp;at JSON.parse (&lt;anonymous&gt;)</pre>"
)
