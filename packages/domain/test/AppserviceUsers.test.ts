import * as AppserviceUsers from "@appservice-ping/domain/AppserviceUsers"
import { assert, describe, it } from "@effect/vitest"

const of = (...regexes: ReadonlyArray<string>) =>
  AppserviceUsers.make(
    { sender_localpart: "bot", namespaces: { users: regexes.map((regex) => ({ regex })) } },
    "matrix.example"
  )

describe("the users of an appservice", () => {
  it("C14 are its sender and those of its namespaces, exclusive or not, and nobody else", () => {
    const users = AppserviceUsers.make({
      sender_localpart: "bot",
      namespaces: {
        users: [{ regex: "@irc_.*", exclusive: true }, { regex: "@xmpp_[a-z]+:matrix\\.example$", exclusive: false }],
        rooms: [{ regex: "@room_.*" }]
      }
    }, "matrix.example")
    assert.strictEqual(users.sender, "@bot:matrix.example")
    for (
      const [userId, isIncluded] of [
        ["@bot:matrix.example", true],
        ["@irc_alice:matrix.example", true],
        ["@irc_alice:elsewhere.example", true],
        ["@xmpp_bob:matrix.example", true],
        ["@xmpp_bob:matrix.example.org", false],
        ["@xmpp_bob:matrixxexample", false],
        ["@bot:elsewhere.example", false],
        ["@bot2:matrix.example", false],
        ["x@irc_alice:matrix.example", false],
        ["@room_a:matrix.example", false],
        ["", false]
      ] as const
    ) assert.strictEqual(users.includes(userId), isIncluded, userId)
  })

  it("C14 are its sender alone without namespaces", () => {
    for (const namespaces of [{}, { users: null }, { users: [] }]) {
      const users = AppserviceUsers.make({ sender_localpart: "bot", namespaces }, "localhost")
      assert.isTrue(users.includes("@bot:localhost"))
      assert.isFalse(users.includes("@irc_a:localhost"))
    }
  })

  it.each([
    ["(?i)@IRC_.*", "@irc_a:matrix.example"],
    ["\\A@irc_.*\\Z", "@irc_a:matrix.example"],
    ["^@irc_.*\\z", "@irc_a:matrix.example"],
    ["@(?P<network>irc)_.*", "@irc_a:matrix.example"],
    ["@signal_.*|@irc_.*", "@irc_a:matrix.example"]
  ])("C14 are found by %s, as Python and Rust write it", (regex, userId) => {
    assert.isTrue(of(regex).includes(userId))
    assert.isFalse(of(regex).includes("@alice:matrix.example"))
    assert.isFalse(of(regex).includes("x@irc_a:matrix.example"))
  })

  it("C14 are none of an expression that is no regular expression, and it is named", () => {
    const users = of("@irc_(", "@xmpp_.*", "*")
    assert.deepStrictEqual(users.unreadable, ["@irc_(", "*"])
    assert.isFalse(users.includes("@irc_a:matrix.example"))
    assert.isTrue(users.includes("@xmpp_a:matrix.example"))
  })

  it("C14 have ids of at most 255 bytes, so that no expression searches more", () => {
    const users = of("@irc_.*")
    assert.isTrue(users.includes(`@irc_${"a".repeat(250)}`))
    assert.isFalse(users.includes(`@irc_${"a".repeat(251)}`))
    assert.isFalse(users.includes(`@irc_${"ä".repeat(126)}`))
  })
})

describe("a user id", () => {
  it("D12 has a localpart of the spec's characters, and at most 255 bytes", () => {
    assert.strictEqual(AppserviceUsers.userId("irc_a.b=c/d+e-9", "matrix.example"), "@irc_a.b=c/d+e-9:matrix.example")
    for (const localpart of ["", "A", "a:b", "@a", "a b", "ä", "a\n"]) {
      assert.isUndefined(AppserviceUsers.userId(localpart, "matrix.example"), localpart)
    }
    assert.isDefined(AppserviceUsers.userId("a".repeat(255 - "@:localhost".length), "localhost"))
    assert.isUndefined(AppserviceUsers.userId("a".repeat(256 - "@:localhost".length), "localhost"))
  })

  it("C14 names its homeserver", () => {
    for (
      const [userId, name] of [
        ["@bot:matrix.example", "matrix.example"],
        ["@bot:matrix.example:8448", "matrix.example:8448"],
        ["@bot:[::1]:8008", "[::1]:8008"],
        ["@bot:", undefined],
        ["@bot", undefined],
        ["bot:matrix.example", undefined],
        ["@bot:a b\nc", undefined]
      ] as const
    ) assert.strictEqual(AppserviceUsers.serverNameOf(userId), name, userId)
  })
})
