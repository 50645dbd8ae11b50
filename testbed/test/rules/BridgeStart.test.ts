/** What a bridge asks before it pings, at the paths and with the bodies that bridges send: D12, over every mount. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assertCors, assertHomeserverError, assertPingSucceeded } from "./support/Answers.ts"
import * as Fixture from "./support/Fixture.ts"
import * as Http from "./support/Http.ts"
import { mounts } from "./support/Mounts.ts"
import * as Pair from "./support/Pair.ts"
import * as RawClient from "./support/RawClient.ts"

const { tokens } = Fixture

const type = "m.login.application_service"

const versions = ["v3", "r0"] as const

/** How each bridge framework registers a user: the query and the body. */
const dialects: ReadonlyArray<readonly [name: string, query: string, body: (username: string) => object]> = [
  ["mautrix-go", "?user_id=%40irc_a%3Alocalhost", (username) => ({ username, inhibit_login: true, type })],
  ["mautrix-python", "?kind=user", (username) => ({ username, type, inhibit_login: true })],
  ["heisenbridge", "", (username) => ({ type, username, inhibit_login: true })],
  ["matrix-bot-sdk", "", (username) => ({ type, username })],
  ["matrix-bot-sdk with a device", "", (username) => ({ type, username, device_id: "ABC" })]
]

const register = (
  body: unknown,
  options: { readonly version?: string; readonly query?: string; readonly token?: string | undefined } = {}
): Buffer =>
  Http.request({
    target: `/_matrix/client/${options.version ?? "v3"}/register${options.query ?? ""}`,
    headers: options.token === "" ? [] : [Fixture.bearer(options.token ?? tokens.as)],
    body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body)
  })

const whoami = (query: string = "", token: string = tokens.as, version: string = "v3"): Buffer =>
  Http.request({
    method: "GET",
    target: `/_matrix/client/${version}/account/whoami${query}`,
    headers: token === "" ? [] : [Fixture.bearer(token)]
  })

const assertAccount = (answer: RawClient.Answer, userId: string): void => {
  assert.strictEqual(answer.status, 200, answer.text)
  assert.strictEqual(answer.header("content-type"), "application/json")
  assertCors(answer)
  assert.deepStrictEqual(answer.json, { user_id: userId })
}

const users = ["@irc_.*"]

for (const mount of mounts) {
  describe(`on ${mount.name}`, () => {
    for (const [name, query, body] of dialects) {
      it.effect(`D12 registers a user as ${name} asks, and says M_USER_IN_USE the second time`, () =>
        Effect.gen(function*() {
          const { port } = yield* Pair.start(mount, { users })
          for (const version of versions) {
            const username = `irc_${version}`
            const asked = register(body(username), { version, query })
            assertAccount(yield* RawClient.send(port, asked), `@${username}:localhost`)
            assertHomeserverError(yield* RawClient.send(port, asked), 400, "M_USER_IN_USE")
          }
          // At either path it is the same homeserver.
          assertHomeserverError(
            yield* RawClient.send(port, register(body("irc_v3"), { version: "r0", query })),
            400,
            "M_USER_IN_USE"
          )
        }))
    }

    it.effect("D12 says who the appservice is: its sender, or the user_id that it asks to be", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount, { users, options: { serverName: "matrix.example:8448" } })
        for (const version of versions) {
          const ask = (query: string) => RawClient.send(port, whoami(query, tokens.as, version))
          assertAccount(yield* ask(""), "@bot:matrix.example:8448")
          assertAccount(yield* ask("?user_id=@bot:matrix.example:8448"), "@bot:matrix.example:8448")
          // Registered or not: what this process has forgotten, a bridge remembers.
          assertAccount(yield* ask("?user_id=%40irc_alice%3Amatrix.example%3A8448"), "@irc_alice:matrix.example:8448")
          assertAccount(
            yield* ask("?org.matrix.msc3202.device_id=ABC&device_id=ABC"),
            "@bot:matrix.example:8448"
          )
        }
      }))

    it.effect("D12 and C14 refuse a foreign user_id with 403 M_FORBIDDEN, and say what to set", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount, { users: ["@irc_.*:matrix.example"] })
        const error = assertHomeserverError(
          yield* RawClient.send(port, whoami("?user_id=@bot:matrix.example")),
          403,
          "M_FORBIDDEN"
        )
        assert.include(error, "The user_id is on matrix.example, but the name of this homeserver is localhost")
        assert.include(error, "configuration of the bridge to localhost, or that of this homeserver to matrix.example")
        assertHomeserverError(
          yield* RawClient.send(port, register({ type, username: "irc_alice" })),
          400,
          "M_EXCLUSIVE"
        )
      }))

    it.effect("D12 lets a bridge come up: versions, register, whoami, and then the ping, as its bot", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount, { users })
        const supported = Http.request({ method: "GET", target: "/_matrix/client/versions" })
        assert.strictEqual((yield* RawClient.send(port, supported)).status, 200)
        assertAccount(yield* RawClient.send(port, register({ type, username: "bot" })), "@bot:localhost")
        assertAccount(yield* RawClient.send(port, whoami("?user_id=@bot:localhost")), "@bot:localhost")
        assertPingSucceeded(
          yield* RawClient.send(
            port,
            Http.request({
              target: `${Fixture.path()}?user_id=%40bot%3Alocalhost`,
              headers: [Fixture.bearer(tokens.as)],
              body: "{\"transaction_id\":\"x\"}"
            })
          )
        )
      }))

    for (
      const [name, body, status, errcode] of [
        ["a user outside of the namespaces", { type, username: "alice" }, 400, "M_EXCLUSIVE"],
        ["a user of another appservice", { type, username: "xmpp_alice" }, 400, "M_EXCLUSIVE"],
        ["capital letters", { type, username: "irc_Alice" }, 400, "M_INVALID_USERNAME"],
        ["a whole user id", { type, username: "@irc_alice:localhost" }, 400, "M_INVALID_USERNAME"],
        ["an empty username", { type, username: "" }, 400, "M_INVALID_USERNAME"],
        ["a username of 300 letters", { type, username: `irc_${"a".repeat(300)}` }, 400, "M_INVALID_USERNAME"],
        ["no username", { type }, 400, "M_MISSING_PARAM"],
        ["a username that is no text", { type, username: 1 }, 400, "M_BAD_JSON"],
        ["a type that is no text", { type: {}, username: "irc_a" }, 400, "M_BAD_JSON"],
        ["an array", [], 400, "M_BAD_JSON"],
        ["no JSON", "irc_alice", 400, "M_NOT_JSON"],
        ["an empty body", "", 400, "M_NOT_JSON"],
        ["no type", { username: "irc_alice" }, 403, "M_FORBIDDEN"],
        ["a person's login", { type: "m.login.dummy", username: "irc_alice" }, 403, "M_FORBIDDEN"]
      ] as const
    ) {
      it.effect(`D12 answers ${status} ${errcode} to ${name}`, () =>
        Effect.gen(function*() {
          const { port } = yield* Pair.start(mount, { users })
          const error = assertHomeserverError(yield* RawClient.send(port, register(body)), status, errcode)
          if (errcode === "M_EXCLUSIVE") assert.include(error, "the name of this homeserver is localhost")
        }))
    }

    it.effect("D12 and D5 ask for the token before anything else", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount, { users })
        for (
          const request of [(token: string) => register("not json", { token }), (token: string) => whoami("", token)]
        ) {
          assertHomeserverError(yield* RawClient.send(port, request("")), 401, "M_MISSING_TOKEN")
          assertHomeserverError(yield* RawClient.send(port, request("unknown-to-all")), 401, "M_UNKNOWN_TOKEN", {
            soft_logout: false
          })
          assertHomeserverError(yield* RawClient.send(port, request(tokens.user)), 403, "M_FORBIDDEN")
        }
      }))

    it.effect("D12 remembers no more users than it is told to, and forgets the oldest", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount, { users, options: { maxRegisteredUsers: 2 } })
        const ask = (username: string) => RawClient.send(port, register({ type, username }))
        for (const name of ["irc_a", "irc_b", "irc_c"]) assertAccount(yield* ask(name), `@${name}:localhost`)
        assertHomeserverError(yield* ask("irc_b"), 400, "M_USER_IN_USE")
        assertHomeserverError(yield* ask("irc_c"), 400, "M_USER_IN_USE")
        assertAccount(yield* ask("irc_a"), "@irc_a:localhost")
      }))

    it.effect("D12 and C26 know no device where devices can be claimed", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount, { users, options: { versions: { versions: ["v1.17"] } } })
        assertHomeserverError(yield* RawClient.send(port, whoami("?device_id=ABC")), 400, "M_UNKNOWN_DEVICE")
        assertAccount(yield* RawClient.send(port, whoami()), "@bot:localhost")
      }))

    it.effect("D12 and C34 answer another method with 405 and Allow", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount)
        for (
          const [method, target, allow] of [
            ["GET", "/_matrix/client/v3/register", "POST, OPTIONS"],
            ["POST", "/_matrix/client/r0/account/whoami", "GET, HEAD, OPTIONS"]
          ] as const
        ) {
          const answer = yield* RawClient.send(port, Http.request({ method, target }))
          assertHomeserverError(answer, 405, "M_UNRECOGNIZED")
          assert.strictEqual(answer.header("allow"), allow)
        }
      }))
  })
}
