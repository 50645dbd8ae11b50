import * as Catalogue from "@appservice-ping/testbed/fault/Catalogue"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import type { ReadOptions } from "@appservice-ping/testbed/file/FileReader"
import * as PlanFile from "@appservice-ping/testbed/file/PlanFile"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Duration, Result, Schema } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { isValid } from "../plan/support/jsonSchema.ts"
import { plans } from "../plan/support/plans.ts"

/** As many of the types as are listed, and how many more there are. */
const someTypes = `one of ${Fault.types.slice(0, 12).map((type) => JSON.stringify(type)).join(", ")} and ${
  Fault.types.length - 12
} more`

const linesOf = <A>(result: Result.Result<A, PlanFile.PlanError>): ReadonlyArray<string> =>
  Result.isFailure(result) ? result.failure.message.split("\n") : []

const problemsIn = (input: unknown): ReadonlyArray<string> => linesOf(PlanFile.fromUnknown(input, { file: "p" }))

const problemsInText = (text: string, options?: ReadOptions): ReadonlyArray<string> =>
  linesOf(PlanFile.fromText(text, { file: "p", ...options }))

/** The problems of a rule that is right but for these fields. */
const problemsOfRule = (rule: { readonly [field: string]: unknown }): ReadonlyArray<string> =>
  problemsIn({ rules: [{ leg: "to_appservice", fault: { type: "duplicate" }, ...rule }] })

const problemsOfFault = (fault: unknown): ReadonlyArray<string> => problemsOfRule({ fault })

const example: Plan.Plan = {
  seed: 7,
  rules: [
    {
      id: "slow",
      leg: "to_homeserver",
      fault: Fault.latency("2 seconds"),
      match: { path: ["/_matrix/*", "/other"], method: "POST" },
      when: { nth: [1, 3], probability: 0.5, beyond: { limit: 3, window: Duration.seconds(1) } }
    },
    {
      leg: "to_appservice",
      sequence: [{ fault: Fault.status(503, { headers: { "Retry-After": "5" }, body: "not: \"now\"\n# later\t" }) }, {
        fault: Fault.pass,
        times: 2
      }],
      end: "cycle"
    }
  ]
}

describe("PlanFile", () => {
  describe("reading", () => {
    it("reads YAML and JSON alike", () => {
      const yaml = `# yaml-language-server: $schema=plan.schema.json
seed: 7
rules:
  - id: slow
    leg: to_homeserver
    fault: { type: latency, latency: 2 seconds }
    match: { path: ["/_matrix/*", /other], method: POST }
    when:
      nth: [1, 3]
      probability: 0.5
      beyond: { limit: 3, window: 1 second }
  - leg: to_appservice
    sequence:
      - fault:
          type: status
          status: 503
          headers: { Retry-After: "5" }
          body: "not: \\"now\\"\\n# later\\t"
      - fault: { type: pass }
        times: 2
    end: cycle
`
      const fromYaml = Result.getOrThrow(PlanFile.fromText(yaml))
      assert.deepStrictEqual(fromYaml, example)
      const json = Result.getOrThrow(PlanFile.toJson(example))
      assert.deepStrictEqual(Result.getOrThrow(PlanFile.fromText(json)), example)
      assert.deepStrictEqual(Result.getOrThrow(PlanFile.fromUnknown(JSON.parse(json))), example)
    })

    it("passes over a $schema and a byte order mark at the top, and over nothing else", () => {
      assert.isTrue(Result.isSuccess(PlanFile.fromText(`\uFEFF{"$schema":"plan.schema.json","rules":[]}`)))
      assert.deepStrictEqual(problemsIn({ $schema: 4, rules: [] }), [
        `p: $schema: unknown field; expected one of the fields "seed", "rules"`
      ])
      assert.lengthOf(problemsOfRule({ $schema: "x" }), 1)
    })

    it("reads anchors, aliases and merge keys", () => {
      const plan = Result.getOrThrow(PlanFile.fromText(`
rules:
  - &first { leg: to_appservice, fault: &down { type: status, status: 503 } }
  - { <<: *first, leg: to_homeserver }
  - { leg: to_homeserver, fault: *down }
`))
      assert.deepStrictEqual(
        plan.rules.map(({ fault, leg }) => [leg, fault?.type]),
        [["to_appservice", "status"], ["to_homeserver", "status"], ["to_homeserver", "status"]]
      )
    })
  })

  describe("problems", () => {
    it("are listed all at once, each with its place, what is there and what is meant", () => {
      assert.deepStrictEqual(
        problemsIn({
          sed: 1,
          rules: [
            { leg: "to_appservce", fault: { type: "latencyy" }, budget: 0 },
            {
              leg: "to_appservice",
              fault: { type: "latency", latency: "4 milis", phase: "conn", unit: 1 },
              when: { nth: [0, "a"], first: 0.5 }
            },
            4
          ]
        }),
        [
          "p: sed: unknown field; did you mean \"seed\"?",
          "p: rules[0].leg: unknown value \"to_appservce\"; did you mean \"to_appservice\"?",
          "p: rules[0].budget: found 0, expected a number between 1 and 2147483647",
          "p: rules[0].fault.type: unknown fault \"latencyy\"; did you mean \"latency\"?",
          "p: rules[1].when.nth[0]: found 0, expected a number between 1 and 2147483647",
          "p: rules[1].when.nth[1]: found \"a\", expected a whole number between 1 and 2147483647",
          "p: rules[1].when.first: found 0.5, expected a whole number",
          "p: rules[1].fault.unit: unknown field; expected one of the fields \"type\", \"latency\", \"phase\"",
          "p: rules[1].fault.latency: unknown unit \"milis\"; did you mean \"4 millis\"?",
          "p: rules[1].fault.phase: unknown value \"conn\"; did you mean \"connect\"?",
          "p: rules[2]: found 4, expected a mapping with id, leg, match, when, budget, fault, sequence, end"
        ]
      )
    })

    it.each([
      ["timeout", "stall"],
      ["down", "refused"],
      ["reset", "reset_peer"],
      ["connection_reset", "reset_peer"],
      ["CONNECTION_RESET_BY_PEER", "reset_peer"],
      ["limit", "limit_data"],
      ["slow-close", "slow_close"],
      ["SlowClose", "slow_close"],
      ["delay", "latency"],
      ["throttle", "bandwidth"],
      ["lost-anwser", "lost_answer"],
      ["tsl", "tls"]
    ])("know that %s of another tool, or of a hasty hand, is %s", (word, meant) => {
      assert.deepStrictEqual(problemsOfFault({ type: word }), [
        `p: rules[0].fault.type: unknown fault "${word}"; did you mean "${meant}"?`
      ])
    })

    it("know the names of ours in another spelling", () => {
      assert.deepStrictEqual(
        [
          ...problemsOfFault({ type: "stall", phase: "before-headers" }),
          ...problemsOfFault({ type: "stall", at: "accept", phase: "accept" }),
          ...problemsOfFault({ type: "bandwidth", bytesPerSecond: 1, bytes_per_second: 1 }),
          ...problemsOfFault({ type: "rate-limited" }),
          ...problemsOfRule({ leg: "to-appservice" })
        ],
        [
          "p: rules[0].fault.phase: unknown value \"before-headers\"; did you mean \"before_headers\"?",
          "p: rules[0].fault.at: unknown field; did you mean \"phase\"?",
          "p: rules[0].fault.bytesPerSecond: unknown field; did you mean \"bytes_per_second\"?",
          "p: rules[0].fault.type: unknown fault \"rate-limited\"; did you mean \"rate_limited\"?",
          "p: rules[0].leg: unknown value \"to-appservice\"; did you mean \"to_appservice\"?"
        ]
      )
    })

    it("offer each of several names, and all of them for a word that is like none", () => {
      assert.deepStrictEqual(problemsOfFault({ type: "abort" }), [
        "p: rules[0].fault.type: unknown fault \"abort\"; did you mean \"reset_peer\" or \"status\"?"
      ])
      assert.deepStrictEqual(problemsOfFault({ type: "dns", failure: "xyzzy" }), [
        "p: rules[0].fault.failure: unknown value \"xyzzy\"; expected one of \"not_found\", \"try_again\", \"hang\""
      ])
    })

    it("say where a field belongs that stands at the wrong depth", () => {
      assert.deepStrictEqual(problemsOfRule({ probability: 0.5, method: "POST", type: "tls" }), [
        "p: rules[0].probability: unknown field; it is a field of when",
        "p: rules[0].method: unknown field; it is a field of match",
        "p: rules[0].type: unknown field; it is a field of fault"
      ])
      assert.deepStrictEqual(problemsOfFault({ type: "refused", leg: "to_appservice" }), [
        "p: rules[0].fault.leg: unknown field; it is a field of the mapping around this one"
      ])
    })

    it("know units that others use, and a missing space", () => {
      const of = (latency: string) => problemsOfFault({ type: "latency", latency })
      assert.deepStrictEqual([...of("5ms"), ...of("5 s"), ...of("1.5 secnds"), ...of("5seconds"), ...of("soon")], [
        "p: rules[0].fault.latency: unknown unit \"ms\"; did you mean \"5 millis\"?",
        "p: rules[0].fault.latency: unknown unit \"s\"; did you mean \"5 seconds\"?",
        "p: rules[0].fault.latency: unknown unit \"secnds\"; did you mean \"1.5 seconds\"?",
        "p: rules[0].fault.latency: expected a space before the unit of \"5seconds\"; did you mean \"5 seconds\"?",
        "p: rules[0].fault.latency: found \"soon\", expected a time such as \"500 millis\", \"2 seconds\" or \"1 minute\", of at most 2147483647 ms"
      ])
    })

    it("tell the form that a value should have", () => {
      assert.deepStrictEqual(
        [
          ...problemsOfFault("refused"),
          ...problemsOfFault({}),
          ...problemsOfFault({ type: "redirect", status: 305, location: "/" }),
          ...problemsOfFault({ type: "latency", latency: { distribution: "lognorm", p50: 1 } }),
          ...problemsOfFault({ type: "script", steps: [{ step: "write", bytes: "%" }, { step: "clos" }] }),
          ...problemsInText(
            "rules: [{ leg: to_appservice, match: { transaction_id: 12 }, fault: { type: duplicate } }]"
          )
        ],
        [
          "p: rules[0].fault: found \"refused\", expected a mapping: { type: refused }",
          `p: rules[0].fault.type: missing; expected ${someTypes}`,
          "p: rules[0].fault.status: found 305, expected one of 301, 302, 303, 307, 308",
          "p: rules[0].fault.latency.distribution: unknown distribution \"lognorm\"; did you mean \"lognormal\"?",
          "p: rules[0].fault.steps[0].bytes: found \"%\", expected a valid Base64 string",
          "p: rules[0].fault.steps[1].step: unknown step \"clos\"; did you mean \"close\"?",
          "p:1: rules[0].match.transaction_id: found 12, expected text or a list (put it in quotes)"
        ]
      )
    })

    it("tell what a rule may not combine", () => {
      assert.deepStrictEqual(
        [
          ...problemsOfRule({ sequence: [{ fault: { type: "duplicate" } }] }),
          ...problemsIn({ rules: [{ leg: "to_appservice" }] }),
          ...problemsOfRule({ end: "cycle" }),
          ...problemsOfRule({ fault: { type: "refused" }, when: { after: 5, until: 5 } }),
          ...problemsOfRule({ fault: { type: "refused" }, when: { until: 0 } }),
          ...problemsOfRule({ fault: { type: "refused" }, match: { method: "POST" } }),
          ...problemsIn({
            rules: [
              { leg: "to_appservice", sequence: [{ fault: { type: "refused" } }, { fault: { type: "duplicate" } }] }
            ]
          }),
          ...problemsIn({
            rules: [
              { leg: "to_appservice", fault: { type: "refused" } },
              { id: "rule-1", leg: "to_appservice", fault: { type: "refused" } }
            ]
          })
        ],
        [
          "p: rules[0]: expected exactly one of fault and sequence",
          "p: rules[0]: expected exactly one of fault and sequence",
          "p: rules[0]: expected no end without a sequence",
          "p: rules[0]: expected an until that is later than after: this rule could never strike",
          "p: rules[0]: expected an until that is later than after: this rule could never strike",
          "p: rules[0]: expected no match on method: a fault of a connection strikes before there is a request",
          "p: rules[0]: expected a sequence of faults of one stage: faults of a connection (dns, refused, never_accepted, tls and what happens up to the request) and faults of a request need rules of their own",
          "p: rules: expected rules with ids of their own"
        ]
      )
    })

    it("are bounded in number and in length", () => {
      const lines = problemsIn({ rules: Array.from({ length: 60 }, () => 4) })
      assert.lengthOf(lines, 51)
      assert.strictEqual(lines.at(-1), "p: and 10 more problems")
      const [line = ""] = problemsOfFault({ type: "x".repeat(100_000) })
      assert.isBelow(line.length, 400)
      const [field = ""] = problemsOfRule({ ["y".repeat(100_000)]: 1 })
      assert.isBelow(field.length, 400)
    })

    it("never repeat a file that is not a plan, nor what could move a cursor", () => {
      for (const text of ["syt_secret", "\"syt_secret\"", "as_token: syt_secret\nhs_token: [syt_secret]"]) {
        assert.notInclude(problemsInText(text).join("\n"), "syt_secret")
        assert.isNotEmpty(problemsInText(text))
      }
      const [line = ""] = problemsOfFault({ type: "\u001b[2Jé\u202e" })
      assert.match(line, /^[\x20-\x7e]*$/)
    })
  })

  describe("bounds", () => {
    const full = { maxMergeKeys: 2, maxFileBytes: 100 }

    it.each<[string, string, string, ReadOptions["limits"]]>([
      ["bytes", `{"rules":[]}${" ".repeat(88)}`, `{"rules":[]}${" ".repeat(89)}`, { maxFileBytes: full.maxFileBytes }],
      ["bytes of UTF-8", `# ${"é".repeat(44)}\nrules: []`, `# ${"é".repeat(45)}\nrules: []`, {
        maxFileBytes: full.maxFileBytes
      }],
      ["merge keys", "rules: []\n<<: {}\n<<: {}", "rules: []\n<<: {}\n<<: {}\n<<: {}", {
        maxMergeKeys: full.maxMergeKeys
      }]
    ])("takes a file at the bound of its %s, and none beyond it", (_, good, bad, limits) => {
      assert.deepStrictEqual(problemsInText(good, { limits }), [])
      const [line = ""] = problemsInText(bad, { limits })
      assert.match(line, /^p(?::4)?: expected (?:a file of|at most)/)
    })

    it("counts depth and values with every alias followed", () => {
      const at = (text: string, limits: ReadOptions["limits"]) =>
        problemsInText(text, { limits }).filter((line) => line.includes("at most"))
      assert.deepStrictEqual(at("rules: [[1]]", { maxDepth: 3 }), [])
      assert.lengthOf(at("rules: [[[1]]]", { maxDepth: 3 }), 1)
      assert.deepStrictEqual(at("a: &a [1, 2]\nb: [*a]", { maxValues: 8 }), [])
      assert.lengthOf(at("a: &a [1, 2]\nb: [*a]", { maxValues: 7 }), 1)
    })

    it("gives up on aliases that multiply, and on nesting without end, in YAML and JSON", () => {
      const laughs = Array.from(
        { length: 25 },
        (_, i) => `b${i}: &b${i} [${i === 0 ? "1, 1" : `*b${i - 1}, *b${i - 1}`}]`
      )
      assert.deepStrictEqual(problemsInText(laughs.join("\n")), [
        "p:17: expected at most 200000 values, with every alias followed"
      ])
      for (const depth of [40, 5000, 100_000]) {
        const [line = ""] = problemsInText(`${"[".repeat(depth)}${"]".repeat(depth)}`)
        assert.match(line, /^p(?::1)?: expected at most 32 levels/)
      }
    })

    it("takes no key twice, in YAML and in JSON", () => {
      assert.deepStrictEqual(problemsInText("rules: []\nseed: 1\nseed: 2\n"), [
        "p:3: expected each key once in a mapping"
      ])
      assert.deepStrictEqual(problemsInText(`{"rules":[],"seed":1,"se\\u0065d":2}`), [
        "p: expected each key once in a mapping"
      ])
      assert.deepStrictEqual(
        problemsInText(
          `{"rules":[{"leg":"to_appservice","fault":{"type":"refused"}},{"leg":"to_homeserver","fault":{"type":"refused"}}]}`
        ),
        []
      )
    })

    it("says what is wrong with what is not YAML, and on which line", () => {
      assert.deepStrictEqual(
        [
          "rules: []\nseed:\t\"\\q\"",
          "rules:\n\t- 1",
          "rules: [",
          "rules: []\nseed: *none",
          "rules: []\n---\nrules: []",
          "rules: []\nseed: !secret x",
          "{ [1]: 2 }"
        ].map((text) => problemsInText(text)),
        [
          ["p:2: expected valid YAML or JSON: in double quotes a backslash needs a second one"],
          ["p:2: expected valid YAML or JSON: a tab cannot indent; use spaces"],
          ["p:1: expected valid YAML or JSON: a [ or { is not closed"],
          ["p:2: expected an alias (*) of an anchor (&) that is whole before it"],
          ["p:2: expected valid YAML or JSON: a file is one document"],
          ["p:2: expected valid YAML or JSON"],
          ["p:1: expected keys that are words"]
        ]
      )
    })

    it("names the line of each problem in YAML and in JSON, and how to mend it", () => {
      const yaml = `rules:
  - leg: to_appservice
    fault: { type: stall, phase: before-headers }
  - leg: to-homeserver
    fault:
      type: refused
      at: 4
  - fault: { type: refused }
`
      assert.deepStrictEqual(problemsInText(yaml), [
        `p:3: rules[0].fault.phase: unknown value "before-headers"; did you mean "before_headers"?`,
        `p:4: rules[1].leg: unknown value "to-homeserver"; did you mean "to_homeserver"?`,
        `p:7: rules[1].fault.at: unknown field; expected one of the fields "type"`,
        `p:8: rules[2].leg: missing; expected one of "to_homeserver", "to_appservice"`
      ])
      const json = `{\n  "rules": [\n    {\n      "leg": "to-appservice", "fault": { "type": "refused" }\n    }\n  ]\n}`
      assert.deepStrictEqual(problemsInText(json), [
        `p:4: rules[0].leg: unknown value "to-appservice"; did you mean "to_appservice"?`
      ])
      const [problem] = Result.getOrThrow(Result.flip(PlanFile.fromText(json, { file: "plan.json" }))).problems
      assert.deepStrictEqual(problem, {
        file: "plan.json",
        line: 4,
        field: "rules[0].leg",
        problem: `unknown value "to-appservice"; did you mean "to_appservice"?`,
        expected: `one of "to_homeserver", "to_appservice"`,
        found: `"to-appservice"`,
        suggestions: ["to_appservice"],
        fix: `write "to_appservice"`
      })
    })

    it("takes large texts of every shape within a second or two", () => {
      const texts = [
        "[".repeat(500_000),
        `a: [${"1,".repeat(500_000)}]`,
        Array.from({ length: 20_000 }, (_, i) => `- &a${i} x\n- *a${i}`).join("\n"),
        Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join("\n"),
        "- ".repeat(20_000)
      ]
      for (const text of texts) assert.isNotEmpty(problemsInText(text))
    }, 30_000)

    it("names the line of what is not YAML, and does not quote it", () => {
      const [line = ""] = problemsInText("rules:\n  - leg: to_appservice\n   syt_secret: [\n")
      assert.match(line, /^p:3: expected valid YAML or JSON: a quote, a bracket, a colon or a comma is missing$/)
      assert.notInclude(line, "syt_secret")
    })
  })

  describe("any text and any value", () => {
    const pieces = [
      ..."{}[]:,-#&*|>?!%@\"'\\ \n\t",
      "rules",
      "leg: to_appservice",
      "fault: {type: ",
      "refused",
      "latency",
      "&a ",
      "*a",
      "<<: ",
      "- ",
      "\n  ",
      "\n    ",
      "__proto__: ",
      "1e999",
      "null",
      "\u0000",
      "\ud800"
    ]
    const texts = Arbitrary.map(
      Arbitrary.array(Arbitrary.schema(Schema.Literals(pieces)), { minLength: 1, maxLength: 60 }),
      (parts) => parts.join("")
    )

    it.prop("is a plan or a list of problems, and nothing is thrown", [texts], ([text]) => {
      for (const result of [PlanFile.fromText(text), PlanFile.fromText(`rules:\n  - leg: ${text}`)]) {
        if (Result.isSuccess(result)) continue
        assert.isNotEmpty(result.failure.problems)
        for (const { field, problem } of result.failure.problems) {
          assert.match(field + problem, /^[\x20-\x7e]+$/)
        }
      }
    }, { arbitrary: { runs: 1000 } })

    it("keeps names that mean something to JavaScript apart from fields", () => {
      const rule = `{"leg":"to_appservice","fault":{"type":"duplicate"}`
      assert.deepStrictEqual(problemsInText(`{"rules":[${rule},"__proto__":{"budget":0}}],"constructor":1}`), [
        `p:1: constructor: unknown field; expected one of the fields "seed", "rules"`,
        `p:1: rules[0].__proto__: unknown field; expected one of the fields "id", "leg", "match", "when", "budget", "fault", "sequence", "end"`
      ])
      const plan = PlanFile.fromText(
        `rules: [{ leg: to_appservice, fault: { type: status, status: 500, headers: { __proto__: x } } }]`
      )
      assert.include(Result.getOrThrow(PlanFile.toJson(Result.getOrThrow(plan))), `"__proto__": "x"`)
    })
  })

  describe("writing", () => {
    it("names the JSON Schema for editors", () => {
      const yaml = Result.getOrThrow(
        PlanFile.toYaml(Plan.of("to_appservice", Fault.refused), { schema: "plan.schema.json" })
      )
      assert.strictEqual(
        yaml,
        "# yaml-language-server: $schema=plan.schema.json\nrules:\n  - leg: to_appservice\n    fault:\n      type: refused\n"
      )
    })

    it("keeps apart what YAML could take for something else", () => {
      const body = [
        "no",
        "1e3",
        "~",
        "null",
        "0x1F",
        "2001-01-01",
        "- a",
        "a: b",
        " x ",
        "é\u2028\u0085\u{1f600}",
        "a\r\nb"
      ]
      for (const text of body) {
        const plan = Plan.of("to_appservice", Fault.status(500, { headers: { "X-Y": "y" }, body: text }))
        assert.deepStrictEqual(Result.getOrThrow(PlanFile.fromText(Result.getOrThrow(PlanFile.toYaml(plan)))), plan)
      }
    })

    it("folds long text, so that it can be read back within the bounds", () => {
      const bodies = [
        "\\\" é ".repeat(20_000),
        // Spaces on both sides of the fold.
        ...[998, 999, 1000, 1001].map((length) => `${"a".repeat(length)}  b`)
      ]
      for (const body of bodies) {
        const plan = Plan.of("to_appservice", Fault.status(500, { headers: { a: "b" }, body }))
        assert.deepStrictEqual(Result.getOrThrow(PlanFile.fromText(Result.getOrThrow(PlanFile.toYaml(plan)))), plan)
      }
    })

    it("checks a plan of the program as strictly as a file", () => {
      const wrong: Plan.Plan = { rules: [{ leg: "to_appservice", fault: { type: "slicer", size: 0 }, budget: 0.5 }] }
      assert.deepStrictEqual(linesOf(PlanFile.check(wrong)), [
        "plan: rules[0].budget: found 0.5, expected a whole number",
        "plan: rules[0].fault.size: found 0, expected a number between 1 and 67108864"
      ])
      assert.deepStrictEqual(linesOf(PlanFile.toJson(wrong)), linesOf(PlanFile.check(wrong)))
      assert.deepStrictEqual(linesOf(PlanFile.toYaml(wrong)), linesOf(PlanFile.check(wrong)))
      const excess = { rules: [], sede: 4 }
      assert.deepStrictEqual(linesOf(PlanFile.check(excess)), ["plan: sede: unknown field; did you mean \"seed\"?"])
      assert.isTrue(Result.isSuccess(PlanFile.check(example)))
    })

    it.prop("reads back every plan that it wrote, from JSON and from YAML", [plans], ([plan]) => {
      assert.isTrue(Result.isSuccess(PlanFile.check(plan)))
      for (const text of [PlanFile.toJson(plan), PlanFile.toYaml(plan)]) {
        const read = Result.getOrThrow(PlanFile.fromText(Result.getOrThrow(text)))
        assert.deepStrictEqual(read, plan)
        // A second time nothing changes any more.
        assert.strictEqual(Result.getOrThrow(PlanFile.toJson(read)), Result.getOrThrow(PlanFile.toJson(plan)))
      }
    }, { arbitrary: { runs: 300 } })
  })

  describe("JSON Schema", () => {
    const schema: { readonly [keyword: string]: unknown } = JSON.parse(
      readFileSync(join(import.meta.dirname, "../../../docs/schema/plan.schema.json"), "utf8")
    )
    const encode = Schema.encodeSync(Plan.Plan)

    it("takes every fault of the catalogue", () => {
      const singles = Catalogue.singles({ pingTimeout: "1 second" })
      assert.isNotEmpty(singles)
      for (const { fault, leg } of singles) {
        assert.isTrue(isValid(schema, encode(Plan.of(leg, fault))), Fault.describe(fault))
      }
    })

    it.prop("takes every plan that can be written, so that no editor marks a good one", [plans], ([plan]) => {
      assert.isTrue(isValid(schema, encode(plan)))
    }, { arbitrary: { runs: 300 } })

    it("knows what an editor should mark", () => {
      const rule = (fields: object): unknown => ({
        rules: [{ leg: "to_appservice", fault: { type: "refused" }, ...fields }]
      })
      assert.isTrue(isValid(schema, rule({})))
      assert.isTrue(isValid(schema, { ...Plan.healthy, $schema: "./plan.schema.json" }))
      const marked = [
        {},
        { rules: [], sed: 1 },
        rule({ leg: "to_appservce" }),
        rule({ unknown: 1 }),
        rule({ budget: 0 }),
        rule({ fault: { type: "refusd" } }),
        rule({ fault: { type: "latency" } }),
        rule({ fault: { type: "dns", failure: "hang", at: 1 } }),
        rule({ when: { probability: 2 } }),
        rule({ match: { nth: 1 } }),
        rule({ sequence: [{ fault: { type: "refused" } }] }),
        { rules: [{ leg: "to_appservice" }] }
      ]
      for (const plan of marked) {
        assert.isFalse(isValid(schema, plan), JSON.stringify(plan))
        assert.isTrue(Result.isFailure(PlanFile.fromUnknown(plan)), JSON.stringify(plan))
      }
    })
  })
})
