/** Sends a case to everything that it is for, and judges all of it. */
import { Effect, type Scope } from "effect"
import * as ClientJudge from "./ClientJudge.ts"
import * as Clients from "./Clients.ts"
import type { Input } from "./Corpus.ts"
import type { Finding } from "./Finding.ts"
import * as HandlerAnswer from "./HandlerAnswer.ts"
import * as Mounts from "./Mounts.ts"
import * as Reference from "./Reference.ts"
import * as ServerJudge from "./ServerJudge.ts"

interface Named {
  readonly name: string
}

export interface Target {
  /** Runs one input against everything that it is for, or the one mount or client of this name. */
  readonly run: (input: Input, only?: string) => Promise<ReadonlyArray<Finding>>
  /** Asks every server for a healthy answer to each of these. */
  readonly health: (pings: ReadonlyArray<Input>) => Promise<ReadonlyArray<Finding>>
}

/** Whoever is asked for something whole has to answer, whatever else runs on the machine. */
const wholePatience = { answerMillis: 12_000, closeMillis: 12_000 }

/** A handler that answers at once leaves nothing to wait for. */
const mountPatience = { answerMillis: 3000, closeMillis: 3000 }

/** What is not whole gets no answer until its time is over, and that is not waited for. */
const brokenPatience = { answerMillis: 60, closeMillis: 12_000 }

/** The request that a handler's answer is an answer to. */
const pingHead =
  "POST /_matrix/client/v1/appservice/telegram/ping HTTP/1.1\r\nHost: homeserver.test\r\nContent-Length: 2\r\n"

const emptyPing: Input = { kind: "homeserver", bytes: new Uint8Array(), cuts: [], ending: "fin" }

const failure = (where: string) => (error: unknown): Finding => ({ kind: "crash", where, text: String(error) })

/** Opens everything until the scope closes; `wanted` chooses mounts and clients by their names. */
export const make = (wanted: (name: string) => boolean): Effect.Effect<Target, never, Scope.Scope> =>
  Effect.gen(function*() {
    const ask = yield* Mounts.makeAsk
    const { agreed, services } = HandlerAnswer.makeServices()
    const scripted = (yield* Mounts.make(services)).filter(({ name }) => wanted(name))
    const clients = (yield* Clients.make).filter(({ name }) => wanted(name))
    const mounts = (yield* Mounts.make(Mounts.real)).filter(({ name }) => wanted(name))
    const parse = Reference.make(Mounts.maxHeaderBytes)

    const serve = async (
      side: Mounts.Side,
      input: Input,
      isMeant: (one: Named) => boolean
    ): Promise<ReadonlyArray<Finding>> => {
      const parsed = await parse(input)
      const [first] = parsed.requests
      const expected = first === undefined ? undefined : await ask(side, first)
      const patience = first === undefined ? brokenPatience : wholePatience
      const found = await Promise.all(
        mounts.filter(isMeant).map(async (mount) => {
          try {
            const observed = await mount.send[side](input, parsed, patience)
            if (observed === undefined || input.ending === "rst") return []
            return ServerJudge.judge(mount, observed, parsed, expected)
          } catch (error) {
            return [failure(mount.name)(error)]
          }
        })
      )
      return found.flat()
    }

    const call = async (input: Input, isMeant: (one: Named) => boolean): Promise<ReadonlyArray<Finding>> => {
      const found = await Promise.all(
        clients.filter(isMeant).map(async ({ call, name }) => {
          try {
            return ClientJudge.judge(name, await call(input))
          } catch (error) {
            return [failure(name)(error)]
          }
        })
      )
      return found.flat()
    }

    let count = 0
    const mountAnswer = async (input: Input, isMeant: (one: Named) => boolean): Promise<ReadonlyArray<Finding>> => {
      const key = String(count++)
      agreed.set(key, input)
      const asking: Input = { ...emptyPing, bytes: Buffer.from(`${pingHead}x-fuzz: ${key}\r\n\r\n{}`) }
      const parsed = await parse(asking)
      const status = HandlerAnswer.statusOf(HandlerAnswer.read(input.bytes)) ?? 500
      const found = await Promise.all(
        scripted.filter(isMeant).map(async (mount) => {
          try {
            const observed = await mount.send.homeserver(asking, parsed, mountPatience)
            return observed === undefined ? [] : ServerJudge.judgeMounted(mount.name, observed, status)
          } catch (error) {
            return [failure(mount.name)(error)]
          }
        })
      )
      agreed.delete(key)
      return found.flat().map((finding) => ({ ...finding, text: `${finding.text} (of a handler's answer)` }))
    }

    const run: Target["run"] = (input, only) => {
      const isMeant = ({ name }: Named): boolean => only === undefined || name === only
      if (input.kind === "handler") return mountAnswer(input, isMeant)
      return input.kind === "answers" ? call(input, isMeant) : serve(input.kind, input, isMeant)
    }

    return {
      run,
      health: async (pings) => {
        const found: Array<Finding> = []
        for (const input of pings) {
          if (input.kind === "answers" || input.kind === "handler") continue
          const parsed = await parse(input)
          for (const mount of mounts) {
            const observed = await mount.send[input.kind](input, parsed, wholePatience)
            const text = Buffer.from(observed?.bytes ?? []).toString("latin1")
            if (text.startsWith("HTTP/1.1 200 ")) continue
            found.push({ kind: "unhealthy", where: mount.name, text: `a healthy ping got ${text.slice(0, 60)}` })
          }
        }
        return found
      }
    }
  })
