import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Cli from "appservice-ping/Cli"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { run } from "./support/Cli.ts"
import { canaries, registration, write } from "./support/files.ts"

describe("appservice-ping --help and --version", () => {
  it.effect("--version prints the version of the package, and needs no file", () =>
    Effect.gen(function*() {
      const text = yield* Effect.promise(() => readFile(join(import.meta.dirname, "../package.json"), "utf8"))
      const { code, stderr, stdout } = yield* run(["--version"])
      assert.strictEqual(stdout, `appservice-ping v${JSON.parse(text).version}\n`)
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)
    }))

  it.effect("--help names the commands, and needs no file", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* run(["--help"])
      for (const command of ["homeserver", "appservice", "ping", "doctor", "watch"]) {
        assert.include(stdout, `\n  ${command} `)
      }
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)
    }))

  for (
    const [command, flags] of [
      ["homeserver", ["--registration", "--host", "--port", "--ping-timeout", "--user-token"]],
      ["appservice", ["--registration", "--host", "--port"]],
      [
        "ping",
        ["--registration", "--homeserver", "--transaction-id", "--verify", "--host", "--port", "--timeout", "--json"]
      ],
      ["doctor", ["--registration", "--homeserver", "--homeserver-registration", "--listen", "--timeout", "--json"]],
      ["watch", ["--registration", "--homeserver", "--interval", "--timeout", "--metrics", "--json"]]
    ] as const
  ) {
    it.effect(`${command} --help names each of its options`, () =>
      Effect.gen(function*() {
        const { code, stdout } = yield* run([command, "--help"])
        for (const flag of flags) assert.include(stdout, `  ${flag}`)
        assert.strictEqual(code, 0)
      }))
  }

  it.effect("the help of a server says that a signal ends it with exit code 0", () =>
    Effect.gen(function*() {
      for (const command of ["homeserver", "appservice", "watch"]) {
        const { stdout } = yield* run([command, "--help"])
        assert.include(stdout, "SIGTERM and SIGINT stop it with exit code 0")
      }
    }))
})

describe("wrong usage is two lines on stderr and exit code 2", () => {
  const wrong: ReadonlyArray<readonly [title: string, args: ReadonlyArray<string>, line: string]> = [
    [
      "no command",
      [],
      "appservice-ping: a command is missing: homeserver, appservice, ping, doctor, watch, scenario or proxy"
    ],
    [
      "no command of a scenario",
      ["scenario"],
      "appservice-ping scenario: a command is missing: run, list, show or replay"
    ],
    ["an unknown command", ["pong"], "appservice-ping: there is no such command; did you mean ping?"],
    ["an unknown option", ["ping", "--nope"], "appservice-ping ping: there is no option --nope"],
    ["homeserver without a registration", ["homeserver"], "appservice-ping homeserver: --registration is required"],
    ["appservice without a registration", ["appservice"], "appservice-ping appservice: --registration is required"],
    ["ping without a registration", ["ping"], "appservice-ping ping: --registration is required"],
    [
      "ping without a homeserver",
      ["ping", "--registration", "r.yaml"],
      "appservice-ping ping: --homeserver is required"
    ],
    ["doctor without a registration", ["doctor"], "appservice-ping doctor: --registration is required"],
    [
      "doctor without a homeserver",
      ["doctor", "--registration", "r.yaml"],
      "appservice-ping doctor: --homeserver is required"
    ],
    ["watch without a registration", ["watch"], "appservice-ping watch: --registration is required"],
    [
      "a port for metrics that is too large",
      ["watch", "--registration", "r.yaml", "--homeserver", "http://127.0.0.1:1", "--metrics", "65536"],
      "appservice-ping watch: --metrics: expected a number from 0 to 65535; 0 picks a free port"
    ],
    [
      "an interval without a unit",
      ["watch", "--registration", "r.yaml", "--homeserver", "http://127.0.0.1:1", "--interval", "60"],
      "appservice-ping watch: --interval: expected a duration such as \"500 millis\", \"30 seconds\" or \"2 minutes\", at most a day"
    ],
    [
      "an option without its value",
      ["ping", "--registration", "--homeserver", "http://127.0.0.1:1"],
      "appservice-ping ping: --registration needs a value"
    ],
    [
      "an option that is given twice",
      ["homeserver", "--registration", "r.yaml", "--port", "1", "--port", "2"],
      "appservice-ping homeserver: --port: at most 1 value, but there are 2 occurrences"
    ],
    [
      "a port that is too large",
      ["homeserver", "--registration", "r.yaml", "--port", "65536"],
      "appservice-ping homeserver: --port: expected a number from 0 to 65535; 0 picks a free port"
    ],
    [
      "a port that is no number",
      ["homeserver", "--registration", "r.yaml", "--port", "http"],
      "appservice-ping homeserver: --port: expected a number from 0 to 65535; 0 picks a free port"
    ],
    [
      "a host that is empty",
      ["homeserver", "--registration", "r.yaml", "--host", ""],
      "appservice-ping homeserver: --host: expected an address or a name of this machine, such as 127.0.0.1"
    ],
    [
      "a duration without a unit",
      ["homeserver", "--registration", "r.yaml", "--ping-timeout", "30"],
      "appservice-ping homeserver: --ping-timeout: expected a duration such as \"500 millis\", \"30 seconds\" or \"2 minutes\", at most a day"
    ],
    [
      "a duration of zero",
      ["ping", "--registration", "r.yaml", "--homeserver", "http://127.0.0.1:1", "--timeout", "0 seconds"],
      "appservice-ping ping: --timeout: expected a duration such as \"500 millis\", \"30 seconds\" or \"2 minutes\", at most a day"
    ],
    [
      "a homeserver without a scheme",
      ["ping", "--registration", "r.yaml", "--homeserver", "matrix.example"],
      "appservice-ping ping: --homeserver: expected an http or https URL, such as https://matrix.example"
    ],
    [
      "an empty user token",
      ["homeserver", "--registration", "r.yaml", "--user-token", ""],
      "appservice-ping homeserver: --user-token: expected a token of at least one character"
    ]
  ]

  for (const [title, args, line] of wrong) {
    it.effect(title, () =>
      Effect.gen(function*() {
        const { exitCode, lines } = yield* Effect.flip(Cli.run(args))
        assert.strictEqual(lines[0], line)
        assert.match(lines[1] ?? "", /^See appservice-ping.* --help$/)
        assert.lengthOf(lines, 2)
        assert.strictEqual(exitCode, 2)
      }).pipe(Effect.provide(NodeServices.layer)))
  }

  it.effect("the process writes them to stderr and ends with exit code 2", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* run(["ping"])
      assert.strictEqual(
        stderr,
        "appservice-ping ping: --registration is required\nSee appservice-ping ping --help\n"
      )
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 2)
    }))

  it.effect("a token in the wrong place is not repeated", () =>
    Effect.gen(function*() {
      for (
        const args of [
          ["homeserver", "--registration", "r.yaml", "--user-token", "x", canaries.user],
          ["homeserver", "--registration", "r.yaml", `--user-tokn=${canaries.user}`],
          ["homeserver", "--registration", "r.yaml", `--port=${canaries.user}`],
          ["ping", "--registration", "r.yaml", "--homeserver", `ftp://x:${canaries.user}@y`],
          [canaries.user]
        ]
      ) {
        const { exitCode, lines } = yield* Effect.flip(Cli.run(args))
        assert.notInclude(lines.join("\n"), canaries.user)
        assert.lengthOf(lines, 2)
        assert.strictEqual(exitCode, 2)
      }
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("a registration that cannot be used is named, with exit code 2", () => {
  const assertRefused = (file: string, line: string) =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* run([
        "ping",
        "--homeserver",
        "http://127.0.0.1:1",
        "--registration",
        file
      ])
      assert.strictEqual(stderr, `${line}\n`)
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 2)
    })

  it.effect("by each command, and no server starts", () =>
    Effect.gen(function*() {
      for (const command of ["homeserver", "appservice"]) {
        const { code, stderr, stdout } = yield* run([command, "--port", "0", "--registration", "missing.yaml"])
        assert.strictEqual(stderr, "missing.yaml: there is no such file\n")
        assert.strictEqual(stdout, "")
        assert.strictEqual(code, 2)
      }
    }))

  it.effect("a missing file", () =>
    Effect.gen(function*() {
      const here = yield* write("")
      yield* assertRefused(`${here}.missing`, `${here}.missing: there is no such file`)
    }))

  it.effect("a directory", () =>
    assertRefused(import.meta.dirname, `${import.meta.dirname}: expected a file, but it is a directory`))

  it.effect("a file that is not UTF-8", () =>
    Effect.gen(function*() {
      const file = yield* write(Buffer.from(registration(), "utf16le").fill(0xff, 0, 2))
      yield* assertRefused(file, `${file}: expected text in UTF-8`)
    }))

  // A shell hands over `<(generate-registration)` as a pipe.
  it.effect("a pipe is a file like any other", () =>
    Effect.gen(function*() {
      const pipe = `${yield* write("")}.pipe`
      yield* Effect.sync(() => execFileSync("mkfifo", [pipe]))
      const [{ stderr }] = yield* Effect.all([
        run(["appservice", "--registration", pipe]),
        Effect.promise(() => writeFile(pipe, registration({ url: null })))
      ], { concurrency: "unbounded" })
      assert.strictEqual(stderr, `${pipe}: url is empty; pass --port to say where to listen\n`)
    }))

  it.effect("a file of more than 1 MiB", () =>
    Effect.gen(function*() {
      const file = yield* write(`# ${" ".repeat(1024 * 1024)}\n${registration()}`)
      yield* assertRefused(file, `${file}: expected a registration, but the file is larger than 1 MiB`)
    }))

  it.effect("fields that are wrong, each on a line of its own, without a value", () =>
    Effect.gen(function*() {
      const file = yield* write(registration({ url: `http:/${canaries.user}`, id: 5 }))
      yield* assertRefused(
        file,
        `${file}: id: expected text, in quotes if it looks like a number or a boolean\n${file}: url: expected an http or https URL with two slashes after the colon, such as http://localhost:29318`
      )
    }))

  it.effect("an odd file name does not reach the terminal as it is", () =>
    Effect.gen(function*() {
      const { code, stderr } = yield* run([
        "ping",
        "--homeserver",
        "http://127.0.0.1:1",
        "--registration",
        "a\u001b[2Jb"
      ])
      assert.strictEqual(stderr, "a\\u{1b}[2Jb: there is no such file\n")
      assert.strictEqual(code, 2)
    }))
})
