/** The client's side of one exchange: what it has read of the answer, and what it has not looked at yet. */
import { Effect } from "effect"
import * as ClientReading from "../../client/ClientReading.ts"
import type { Rendered } from "./answerBytes.ts"

const encoder = new TextEncoder()

const end = ClientReading.Event.End()

export class Exchange {
  private readonly options: ClientReading.ReadingOptions
  private reading: ClientReading.Reading | undefined
  private events: Array<ClientReading.Event> = []
  private at = 0
  private isWhole = false
  private keepsAlive = false
  private waiter: (() => void) | undefined

  constructor(options: ClientReading.ReadingOptions) {
    this.options = options
  }

  /** Takes bytes of the answer. */
  feed(bytes: Uint8Array): void {
    this.reading ??= ClientReading.make(this.options)
    for (const event of this.reading.write(bytes)) this.events.push(event)
  }

  /** Takes a whole answer that nothing was done to: what `feed` would make of its bytes, without the reading. */
  answer(rendered: Rendered): void {
    this.isWhole = true
    this.keepsAlive = rendered.keepsAlive
    this.events.push(ClientReading.Event.Head({ status: rendered.status, headers: rendered.headers }))
    if (rendered.body !== "") this.events.push(ClientReading.Event.Body({ bytes: encoder.encode(rendered.body) }))
    this.events.push(end)
  }

  /** Takes the end of the connection. */
  close(how: "fin" | "rst"): void {
    if (this.isWhole) return
    this.reading ??= ClientReading.make(this.options)
    for (const event of this.reading.close(how)) this.events.push(event)
  }

  /** Whether the connection may carry another request. */
  get isReusable(): boolean {
    return this.isWhole ? this.keepsAlive : this.reading?.isReusable() === true
  }

  /** Lets a client that waits go on. */
  wake(): void {
    const { waiter } = this
    if (waiter === undefined || this.at >= this.events.length) return
    this.waiter = undefined
    waiter()
  }

  /** What is there and was not looked at yet. */
  poll(): ClientReading.Event | undefined {
    return this.events[this.at++] ?? this.nothing()
  }

  /** The next thing the client sees; waits for it. */
  next(): Effect.Effect<ClientReading.Event> {
    return Effect.suspend(() => {
      const event = this.poll()
      return event === undefined ? Effect.andThen(this.arrival, this.next()) : Effect.succeed(event)
    })
  }

  private nothing(): undefined {
    this.at = this.events.length
    return undefined
  }

  private get arrival(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      this.waiter = () => resume(Effect.void)
      return Effect.sync(() => {
        this.waiter = undefined
      })
    })
  }
}
