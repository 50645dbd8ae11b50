import type { Answer } from "@appservice-ping/domain/Answer"
import { type Name, names } from "@appservice-ping/testbed/peer/HomeserverPeers"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Fixture from "../rules/support/Fixture.ts"
import { homeserver, modes, ping, short } from "./support/Modes.ts"
import type { Behaviour } from "./support/Network.ts"

const healthy: Behaviour = {
  does: "answer",
  answer: { status: 200, headers: { "content-type": "application/json" }, body: "{}" }
}

const redirect = (status: number, location: string): Behaviour => ({
  does: "answer",
  answer: { status, headers: { location }, body: "" }
})

const statuses = [301, 302, 303, 307, 308]

const isFollowed = (name: Name, status: number): boolean => name !== "synapse" || status === 303

const isPost = (status: number): boolean => status === 307 || status === 308

const tooMany: { readonly [K in Name]: string } = {
  synapse: "502 M_CONNECTION_FAILED",
  tuwunel: "502 M_CONNECTION_FAILED",
  continuwuity: "500 M_UNKNOWN",
  conduit: "502 M_CONNECTION_FAILED"
}

const maxHops: { readonly [K in Name]: number } = { synapse: 20, tuwunel: 2, continuwuity: 2, conduit: 9 }

const errorOf = (answer: Answer): string => String(new Map(Object.entries(JSON.parse(answer.body))).get("error"))

for (const mode of modes) {
  for (const name of names) {
    describe(`${name} ${mode.name}`, () => {
      for (const status of statuses) {
        it.live(`D1 a ${status} to another server`, () =>
          mode.run(Effect.gen(function*() {
            const network = yield* mode.network()
            const target = yield* network.place(healthy)
            const place = yield* network.place(redirect(status, `${target.url}/login`))
            const ask = yield* homeserver(mode, name, network, { url: place.url })
            const answered = yield* ask(ping())
            assert.lengthOf(place.seen, 1)
            if (!isFollowed(name, status)) {
              assert.strictEqual(short(answered), "502 M_CONNECTION_FAILED")
              assert.include(errorOf(answered), "PageRedirect")
              assert.lengthOf(target.seen, 0)
              return
            }
            assert.strictEqual(short(answered), "200")
            const [seen] = target.seen
            assert.strictEqual(seen?.target, "/login")
            assert.strictEqual(seen?.method, isPost(status) ? "POST" : "GET")
            assert.strictEqual(seen?.body, isPost(status) ? "{}" : "")
            assert.isUndefined(seen?.headers["authorization"])
            // The token is not in the header any more, and one library tells it in another one.
            assert.strictEqual(
              seen?.headers["referer"],
              name === "synapse" ?
                undefined :
                `${place.url}${Fixture.appservicePath}?access_token=${Fixture.tokens.hs}`
            )
          })))
      }

      it.live("D1 a 303 within the same server keeps the token", () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const place = yield* network.place(redirect(303, "/elsewhere"))
          const ask = yield* homeserver(mode, name, network, { url: place.url })
          yield* ask(ping())
          const [first, second] = place.seen
          assert.strictEqual(first?.method, "POST")
          assert.strictEqual(second?.method, "GET")
          assert.strictEqual(second?.target, "/elsewhere")
          assert.strictEqual(second?.headers["authorization"], `Bearer ${Fixture.tokens.hs}`)
        })))

      it.live("D1 a 302 after a 303 is followed, because the request is a GET by then", () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const target = yield* network.place(healthy)
          const second = yield* network.place(redirect(302, `${target.url}/login`))
          const place = yield* network.place(redirect(303, `${second.url}/moved`))
          const ask = yield* homeserver(mode, name, network, { url: place.url })
          assert.strictEqual(short(yield* ask(ping())), "200")
          assert.deepStrictEqual(target.seen.map(({ method, target }) => [method, target]), [["GET", "/login"]])
        })))

      it.live(`D1 a loop ends after ${maxHops[name]} hops`, () =>
        mode.run(Effect.gen(function*() {
          const network = yield* mode.network()
          const place = yield* network.place(redirect(303, "/loop"))
          const ask = yield* homeserver(mode, name, network, { url: place.url })
          assert.strictEqual(short(yield* ask(ping())), tooMany[name])
          assert.lengthOf(place.seen, maxHops[name] + 1)
        })))
    })
  }
}
