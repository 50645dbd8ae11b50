/** Who may ask for a ping: C1 to C5 and D5, over every mount. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assertHomeserverError, assertPingSucceeded } from "./support/Answers.ts"
import * as Fixture from "./support/Fixture.ts"
import * as Http from "./support/Http.ts"
import { mounts } from "./support/Mounts.ts"
import * as Pair from "./support/Pair.ts"
import * as RawClient from "./support/RawClient.ts"

const { tokens } = Fixture

const withAuthorization = (...values: ReadonlyArray<string>): Buffer =>
  Http.request({
    target: Fixture.path(),
    headers: values.map((value): readonly [string, string] => ["Authorization", value]),
    body: "{}"
  })

const withQuery = (query: string, ...headers: Http.RawHeaders): Buffer =>
  Http.request({ target: `${Fixture.path()}?${query}`, headers, body: "{}" })

for (const mount of mounts) {
  describe(`on ${mount.name}`, () => {
    for (
      const authorization of [
        `Bearer ${tokens.as}`,
        `bearer ${tokens.as}`,
        `BEARER ${tokens.as}`,
        `bEaReR ${tokens.as}`,
        `Bearer     ${tokens.as}`,
        `Bearer ${tokens.as}   `
      ]
    ) {
      it.effect(`C1 accepts "${authorization.replace(tokens.as, "<as_token>")}"`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount)
          assertPingSucceeded(yield* RawClient.send(port, withAuthorization(authorization)))
          assert.strictEqual(appservice.requests().length, 1)
        }))
    }

    it.effect("C1 accepts the as_token in the deprecated query parameter", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        assertPingSucceeded(yield* RawClient.send(port, withQuery(`access_token=${tokens.as}`)))
        assert.strictEqual(appservice.requests().length, 1)
      }))

    it.effect("C1 decodes the as_token of the query", () =>
      Effect.gen(function*() {
        const asToken = "a b+c/d=e&f%g?h#ü😀"
        const { appservice, port } = yield* Pair.start(mount, { asToken })
        for (
          const encoded of [
            encodeURIComponent(asToken),
            // A space as `+`, as forms encode it, and hexadecimal digits in small letters.
            encodeURIComponent(asToken).replace("%20", "+").replaceAll(/%../g, (hex) => hex.toLowerCase())
          ]
        ) {
          assertPingSucceeded(yield* RawClient.send(port, withQuery(`a=1&access_token=${encoded}&b=2`)))
        }
        assert.strictEqual(appservice.requests().length, 2)
      }))

    it.effect("C1 lets the header decide where both are there", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        assertPingSucceeded(
          yield* RawClient.send(port, withQuery("access_token=someone-else", Fixture.bearer(tokens.as)))
        )
        assert.strictEqual(appservice.requests().length, 1)
        assertHomeserverError(
          yield* RawClient.send(port, withQuery(`access_token=${tokens.as}`, Fixture.bearer("someone-else"))),
          401,
          "M_UNKNOWN_TOKEN",
          { soft_logout: false }
        )
        assert.strictEqual(appservice.requests().length, 1)
      }))

    it.effect("C1 does not choose between two query tokens that differ", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        for (
          const query of [
            `access_token=${tokens.as}&access_token=${tokens.user}`,
            `access_token=${tokens.user}&access_token=${tokens.as}`
          ]
        ) {
          assertHomeserverError(yield* RawClient.send(port, withQuery(query)), 401, "M_MISSING_TOKEN")
        }
        assert.strictEqual(appservice.requests().length, 0)
        assertPingSucceeded(
          yield* RawClient.send(port, withQuery(`access_token=${tokens.as}&access_token=${tokens.as}`))
        )
      }))

    it.effect("C1 takes the name of the query parameter literally", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount)
        for (const name of ["Access_Token", "access_token[]", "token", "xaccess_token"]) {
          assertHomeserverError(
            yield* RawClient.send(port, withQuery(`${name}=${tokens.as}`)),
            401,
            "M_MISSING_TOKEN"
          )
        }
      }))

    for (
      const [name, bytes] of [
        ["no header at all", withAuthorization()],
        ["an empty header", withAuthorization("")],
        ["a scheme without a token", withAuthorization("Bearer")],
        ["a scheme and blanks", withAuthorization("Bearer    ")],
        ["a token without a scheme", withAuthorization(tokens.as)],
        ["another scheme", withAuthorization(`Basic ${tokens.as}`)],
        ["a scheme that only starts like Bearer", withAuthorization(`BearerX ${tokens.as}`)],
        ["an empty query parameter", withQuery("access_token=")],
        ["a query parameter without a value", withQuery("access_token")]
      ] as const
    ) {
      it.effect(`C2 answers 401 M_MISSING_TOKEN to ${name}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount)
          assertHomeserverError(yield* RawClient.send(port, bytes), 401, "M_MISSING_TOKEN")
          assert.strictEqual(appservice.requests().length, 0)
        }))
    }

    for (
      const [name, token] of [
        ["a stranger's token", "nobody-knows-this-one"],
        ["the start of an as_token", tokens.as.slice(0, -1)],
        ["an as_token with a letter more", `${tokens.as}x`],
        ["an as_token in capital letters", tokens.as.toUpperCase()],
        ["the hs_token, which is the other direction's", tokens.hs],
        ["two tokens in one header", `${tokens.as}, Bearer ${tokens.as}`],
        ["a token of 8000 characters", "x".repeat(8000)]
      ] as const
    ) {
      it.effect(`C3 answers 401 M_UNKNOWN_TOKEN to ${name}`, () =>
        Effect.gen(function*() {
          const { appservice, port } = yield* Pair.start(mount)
          assertHomeserverError(yield* RawClient.send(port, Fixture.ping({ token })), 401, "M_UNKNOWN_TOKEN", {
            soft_logout: false
          })
          assert.strictEqual(appservice.requests().length, 0)
        }))
    }

    it.effect("C4 answers 403 M_FORBIDDEN to the token of an ordinary user", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        for (const bytes of [Fixture.ping({ token: tokens.user }), withQuery(`access_token=${tokens.user}`)]) {
          assertHomeserverError(yield* RawClient.send(port, bytes), 403, "M_FORBIDDEN")
        }
        assert.strictEqual(appservice.requests().length, 0)
      }))

    it.effect("C5 answers 403 M_FORBIDDEN to an appservice that asks for another one", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        for (
          const bytes of [
            Fixture.ping({ token: tokens.otherAs }),
            Fixture.ping({ id: "nobody" }),
            Fixture.ping({ id: "irc" }),
            Fixture.ping({ id: "" })
          ]
        ) {
          assertHomeserverError(yield* RawClient.send(port, bytes), 403, "M_FORBIDDEN")
        }
        assert.strictEqual(appservice.requests().length, 0)
      }))

    it.effect("C5 compares the id after percent-decoding", () =>
      Effect.gen(function*() {
        const { appservice, port } = yield* Pair.start(mount)
        const to = (segment: string) =>
          Http.request({
            target: `/_matrix/client/v1/appservice/${segment}/ping`,
            headers: [Fixture.bearer(tokens.as)],
            body: "{}"
          })
        assertPingSucceeded(yield* RawClient.send(port, to("tele%67ram")))
        assertPingSucceeded(yield* RawClient.send(port, to("%74%65%6c%65%67%72%61%6D")))
        assert.strictEqual(appservice.requests().length, 2)
        // Decoded once and not twice.
        assertHomeserverError(yield* RawClient.send(port, to("tele%2567ram")), 403, "M_FORBIDDEN")
        assert.strictEqual(appservice.requests().length, 2)
      }))

    it.effect("D5 answers 401 before it looks at the path's id, the body or the url", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount, { url: () => null })
        const none = Http.request({ target: Fixture.path("nobody"), body: "not json" })
        assertHomeserverError(yield* RawClient.send(port, none), 401, "M_MISSING_TOKEN")
        assertHomeserverError(
          yield* RawClient.send(port, Fixture.ping({ id: "nobody", token: "unknown-to-all", body: "not json" })),
          401,
          "M_UNKNOWN_TOKEN",
          { soft_logout: false }
        )
      }))

    it.effect("D5 answers 403 before it looks at the body or the url", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount, { url: () => null })
        for (
          const bytes of [
            Fixture.ping({ token: tokens.user, body: "not json" }),
            Fixture.ping({ token: tokens.otherAs, body: "" }),
            Fixture.ping({ id: "irc", body: "[]" })
          ]
        ) {
          assertHomeserverError(yield* RawClient.send(port, bytes), 403, "M_FORBIDDEN")
        }
      }))

    it.effect("D5 answers the body's 400 before it says M_URL_NOT_SET", () =>
      Effect.gen(function*() {
        const { port } = yield* Pair.start(mount, { url: () => null })
        assertHomeserverError(yield* RawClient.send(port, Fixture.ping({ body: "not json" })), 400, "M_NOT_JSON")
        assertHomeserverError(
          yield* RawClient.send(port, Fixture.ping({ body: "{\"transaction_id\":1}" })),
          400,
          "M_BAD_JSON"
        )
        assertHomeserverError(yield* RawClient.send(port, Fixture.ping()), 400, "M_URL_NOT_SET")
      }))

    for (
      const [name, status, errcode, extra, headers] of [
        ["no token", 401, "M_MISSING_TOKEN", {}, []],
        ["an unknown token", 401, "M_UNKNOWN_TOKEN", { soft_logout: false }, [Fixture.bearer("unknown-to-all")]],
        ["a user's token", 403, "M_FORBIDDEN", {}, [Fixture.bearer(tokens.user)]],
        ["another appservice's token", 403, "M_FORBIDDEN", {}, [Fixture.bearer(tokens.otherAs)]]
      ] as const
    ) {
      it.effect(`D5 does not wait for the body of ${name}`, () =>
        Effect.gen(function*() {
          const { port } = yield* Pair.start(mount)
          for (const framing of [["Content-Length", "1000"], ["Transfer-Encoding", "chunked"]] as const) {
            // The head alone: the answer can only come if nobody waits for what never arrives.
            const head = Http.request({ target: Fixture.path(), headers: [...headers, framing] })
            assertHomeserverError(yield* RawClient.send(port, head), status, errcode, extra)
          }
        }))
    }
  })
}
