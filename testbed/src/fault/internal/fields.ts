/** Fields that several faults have. */
import { Schema } from "effect"
import { whole } from "../../step/Count.ts"

export const StatusCode = whole(200, 599)

const headerName = /^(?!(?:connection|content-length|transfer-encoding)$)[\w!#$%&'*+.^`|~-]+$/i

export const Headers = Schema.Record(
  Schema.String,
  Schema.String.pipe(
    Schema.check(Schema.isPattern(/^[\t\x20-\x7e]*$/, { expected: "printable ASCII, as the value of an HTTP header" }))
  )
).pipe(
  Schema.check(
    Schema.makeFilter((headers) => Object.keys(headers).every((name) => headerName.test(name)), {
      expected:
        "names of HTTP headers, without Connection, Content-Length and Transfer-Encoding, which the testbed writes"
    })
  )
)

export const Text = Schema.String.pipe(
  Schema.check(Schema.makeFilter((text) => text.isWellFormed(), { expected: "text without lone surrogates" }))
)

/** How a connection ends, or that it does not. */
export const How = Schema.Literals(["fin", "rst", "hang"])

export type How = typeof How.Type

export const howWords: { readonly [H in How]: string } = { fin: "closed", rst: "reset", hang: "stalled" }
