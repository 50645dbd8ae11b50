/** The options that several commands have, each checked as it is read. */
import { Duration, Effect, Redacted } from "effect"
import { CliError, Flag } from "effect/cli"

const invalid = (name: string, expected: string): CliError.ValidationError =>
  new CliError.ValidationError({ message: `--${name}: expected ${expected}` })

const checked = <A, B>(
  flag: Flag.Flag<A>,
  name: string,
  expected: string,
  parse: (value: A) => B | undefined
): Flag.Flag<B> =>
  Flag.mapEffect(flag, (value) => {
    const parsed = parse(value)
    return parsed === undefined ? Effect.fail(invalid(name, expected)) : Effect.succeed(parsed)
  })

const registrationPath = Flag.String("registration").pipe(Flag.withMetavar("FILE"))

export const registration = registrationPath.pipe(
  Flag.withDescription("The registration file of the appservice, YAML or JSON")
)

export const registrations = registrationPath.pipe(
  Flag.withDescription("The registration file of an appservice, YAML or JSON; repeat it for more of them"),
  Flag.atLeast(1)
)

const hostName = /^[\w.:%-]+$/

export const host = checked(
  Flag.String("host"),
  "host",
  "an address or a name of this machine, such as 127.0.0.1",
  (text) => {
    const host = text.replace(/^\[(.*)\]$/, "$1")
    return hostName.test(host) ? host : undefined
  }
).pipe(Flag.withMetavar("ADDRESS"))

export const serverName = checked(
  Flag.String("server-name"),
  "server-name",
  "the name of a homeserver, such as matrix.example",
  (text) => /^(?:[A-Za-z0-9.-]{1,230}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.test(text) ? text : undefined
).pipe(Flag.withMetavar("NAME"))

export const portOf = (name: string) =>
  checked(
    Flag.String(name),
    name,
    "a number from 0 to 65535; 0 picks a free port",
    (text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
  ).pipe(Flag.withMetavar("PORT"))

export const port = portOf("port")

const isUnit = (unit: string): unit is Duration.Unit =>
  ["milli", "millis", "second", "seconds", "minute", "minutes", "hour", "hours"].includes(unit)

const durationMax = Duration.days(1)

const parseDuration = (text: string): Duration.Duration | undefined => {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,9})?) +([a-z]+)$/.exec(text.trim()) ?? []
  if (amount === undefined || unit === undefined || !isUnit(unit)) return undefined
  const duration = Duration.fromInputUnsafe(`${Number(amount)} ${unit}`)
  return Duration.isZero(duration) || Duration.isGreaterThan(duration, durationMax) ? undefined : duration
}

export const duration = (name: string): Flag.Flag<Duration.Duration> =>
  checked(
    Flag.String(name),
    name,
    "a duration such as \"500 millis\", \"30 seconds\" or \"2 minutes\", at most a day",
    parseDuration
  ).pipe(Flag.withMetavar("DURATION"))

export const homeserver = checked(
  Flag.String("homeserver"),
  "homeserver",
  "an http or https URL, such as https://matrix.example",
  (text) => {
    const url = URL.parse(text)
    return url !== null && (url.protocol === "http:" || url.protocol === "https:") ? url : undefined
  }
).pipe(Flag.withMetavar("URL"), Flag.withDescription("The URL of the homeserver"))

export const upstream = checked(
  Flag.String("upstream"),
  "upstream",
  "a host and a port, such as 127.0.0.1:29300 or [::1]:29300",
  (text) => {
    const [, bracketed, name, digits] = /^(?:\[([\w.:%]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text) ?? []
    const host = bracketed ?? name
    const port = Number(digits)
    return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
  }
).pipe(Flag.withMetavar("HOST:PORT"), Flag.withDescription("Where the real server listens"))

export const userTokens = checked(
  Flag.Redacted("user-token"),
  "user-token",
  "a token of at least one character",
  (token) => Redacted.value(token) === "" ? undefined : token
).pipe(
  Flag.withMetavar("TOKEN"),
  Flag.withDescription("The token of an ordinary user, who may not ping; repeat it for more of them"),
  Flag.atLeast(0)
)

export const json = Flag.Boolean("json").pipe(Flag.withDefault(false))
