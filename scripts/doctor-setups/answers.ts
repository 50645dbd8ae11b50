/** Homeservers that answer some questions on their own. */
import type { Site } from "./Site.ts"

type Answer = readonly [status: number, body: unknown]

/** A homeserver with some answers of its own, and the rest from a real one. */
export const withAnswers = (
  homeserver: string,
  answers: {
    readonly ping?: Answer
    readonly whoami?: Answer
    /** What the homeserver calls itself. */
    readonly server?: string
    /** Whether the real homeserver is asked all the same. */
    readonly afterAll?: boolean
  }
): Parameters<Site["server"]>[0] =>
(request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    const { headers, method = "GET", url = "/" } = request
    const named = answers.server === undefined || !url.endsWith("/federation/v1/version")
      ? undefined
      : [200, { server: { name: answers.server, version: "1.0.0" } }] as const
    const own = named ??
      (url.endsWith("/ping") ? answers.ping : url.endsWith("/account/whoami") ? answers.whoami : undefined)
    const send = ([status, body]: Answer) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
    if (own !== undefined && (named !== undefined || answers.afterAll !== true)) {
      send(own)
      return
    }
    void fetch(`${homeserver}${url}`, {
      method,
      headers: { authorization: headers.authorization ?? "" },
      ...(method === "GET" ? {} : { body: Buffer.concat(chunks) })
    })
      .then(async (answer) => send(own ?? [answer.status, await answer.json()]))
      .catch(() => response.destroy())
  })
}

/** A homeserver that tells whose a token is. */
export const withWhoami = (homeserver: string, userId: string) =>
  withAnswers(homeserver, { whoami: [200, { user_id: userId, is_guest: false }] })
