/** A proxy in front of an application that notes what it gets. */
import type { Answer } from "@appservice-ping/domain/Answer"
import * as NodeListener from "@appservice-ping/node/NodeListener"
import type { BodyError, Handler } from "@appservice-ping/server/Exchange"
import * as WireProxy from "@appservice-ping/testbed/carrier/wire/WireProxy"
import type { Entry } from "@appservice-ping/testbed/play/Journal"
import * as Session from "@appservice-ping/testbed/play/Session"
import type { Leg } from "@appservice-ping/testbed/step/Leg"
import { Effect } from "effect"

export const answer: Answer = { status: 200, headers: { "content-type": "application/json" }, body: "{\"real\":true}" }

export const answering: Handler = () => Effect.succeed(answer)

export interface SetupOptions extends Partial<Omit<WireProxy.WireProxyOptions, "session" | "leg">> {
  readonly leg?: Leg
  readonly handle?: Handler
}

/** Starts both, and the session that decides. */
export const setup = Effect.fnUntraced(
  function*({ handle = answering, leg = "to_appservice", ...options }: SetupOptions = {}) {
    const session = yield* Session.make()
    const asked: Array<string> = []
    const upstream = yield* NodeListener.listen((request) => {
      asked.push(request.target)
      return Effect.andThen(
        Effect.catch(request.body(64 * 1024 * 1024), (error: BodyError) => Effect.succeed(error)),
        handle(request)
      )
    }, { port: 0, shutdownGrace: 0 })
    const proxy = yield* WireProxy.listen({ leg, upstream, session, lingerTimeout: "2 seconds", ...options })
    return { session, asked, upstream, proxy }
  }
)

/** The kinds of the entries, with what tells two of a kind apart. */
export const kinds = (entries: ReadonlyArray<Entry>): ReadonlyArray<string> =>
  entries.map(({ what }) => what.event === "closed" ? `closed ${what.by} ${what.how}` : what.event)
