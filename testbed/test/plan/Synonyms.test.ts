import { merge, synonyms } from "@appservice-ping/testbed/plan/Synonyms"
import { assert, describe, it } from "@effect/vitest"

describe("a word of everyday or of another tool", () => {
  it.each<[string, ReadonlyArray<string>]>([
    ["quota", ["beyond"]],
    ["toxicity", ["when", "probability"]],
    ["percentage", ["probability", "when"]],
    ["chance", ["probability"]],
    ["stream", ["leg"]],
    ["direction", ["leg"]],
    ["toxic", ["fault"]],
    ["times", ["first", "budget", "times"]],
    ["steps", ["sequence"]],
    ["txn_id", ["transaction_id"]],
    ["url", ["path"]],
    ["client", ["to_homeserver"]],
    ["downstream", ["to_homeserver"]],
    ["homeserver", ["to_homeserver"]],
    ["upstream", ["to_appservice"]],
    ["appservice", ["to_appservice"]],
    ["ms", ["millis"]],
    ["msec", ["millis"]],
    ["s", ["seconds"]],
    ["sec", ["seconds"]],
    ["secs", ["seconds"]],
    ["m", ["minutes"]],
    ["min", ["minutes"]],
    ["mins", ["minutes"]],
    ["h", ["hours"]],
    ["hr", ["hours"]],
    ["hrs", ["hours"]]
  ])("%s means %s", (word, names) => {
    assert.deepStrictEqual(synonyms[word]?.slice(-names.length), names)
  })

  it("means in two dictionaries what it means in each, once", () => {
    assert.deepStrictEqual(merge({ a: ["x", "y"], b: ["z"] }, { a: ["y", "w"], c: ["v"] }), {
      a: ["x", "y", "w"],
      b: ["z"],
      c: ["v"]
    })
  })
})
