/** The requests that the listeners of real frameworks were measured with, as data. */
import * as Fixture from "../../rules/support/Fixture.ts"

/** A request; what is not said is as it should be. */
export interface Sent {
  readonly method?: string
  readonly target?: string
  readonly authorization?: string | undefined
  readonly contentType?: string | undefined
  readonly body?: string | Uint8Array
}

/** The token that has to be accepted. */
export const right = (hsToken: string): string => `Bearer ${hsToken}`

/** A token that has to be refused. */
export const wrong = "Bearer another-token"

/** The path of the ping. */
export const ping = Fixture.appservicePath

const withQuery = (token: string, path = ping): string => `${path}?access_token=${token}`

/** The requests of both measurements, by the names that they have there. */
export const requestsWith = (hsToken: string): { readonly [name: string]: Sent } => ({
  "A5 string id": { body: "{\"transaction_id\":\"abc\"}" },
  "A5 good": { body: "{\"transaction_id\":\"abc\"}" },
  "A5 {}": {},
  "A4 {}": {},
  "A4 null id": { body: "{\"transaction_id\":null}" },
  "A4 empty body": { body: "" },
  "A4 empty, no ctype": { body: "", contentType: undefined },
  "A4 no body, no length": { body: "", contentType: undefined },
  "A4 {} no ctype": { contentType: undefined },
  "A4 no content type": { contentType: undefined },
  "A4 {} text/plain": { contentType: "text/plain" },
  "A4 not json": { body: "{not json" },
  "A4 not JSON": { body: "{not json" },
  "A4 not UTF-8": { body: Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d) },
  "A4 not json octet": { body: "{not json", contentType: "application/octet-stream" },
  "A4 array": { body: "[]" },
  "A4 []": { body: "[]" },
  "A4 string": { body: "\"x\"" },
  "A4 json null": { body: "null" },
  "A4 null": { body: "null" },
  "A4 number id": { body: "{\"transaction_id\":5}" },
  "A4 id 5": { body: "{\"transaction_id\":5}" },
  "A4 empty body, wrong token": { body: "", authorization: wrong },
  "A2 wrong token": { authorization: wrong },
  "A2 hdr ok query wrong": { target: withQuery("another-token") },
  "A2 header good, query wrong": { target: withQuery("another-token") },
  "A2 hdr wrong query ok": { authorization: wrong, target: withQuery(hsToken) },
  "A2 header wrong, query good": { authorization: wrong, target: withQuery(hsToken) },
  "A2 wrong, bad json": { authorization: wrong, body: "{not json" },
  "A1 query only ok": { authorization: undefined, target: withQuery(hsToken) },
  "query only good": { authorization: undefined, target: withQuery(hsToken) },
  "A1 query only wrong": { authorization: undefined, target: withQuery("another-token") },
  "A1 lower-case bearer": { authorization: `bearer ${hsToken}` },
  "scheme 'bearer'": { authorization: `bearer ${hsToken}` },
  "no scheme": { authorization: hsToken },
  "A3 no token": { authorization: undefined },
  "A3 no token, empty": { authorization: undefined, body: "" },
  "A6 GET ping": { method: "GET", body: "" },
  "A6 GET": { method: "GET", body: "" },
  "A6 GET ping no token": { method: "GET", body: "", authorization: undefined },
  "A6 GET no token": { method: "GET", body: "", authorization: undefined },
  "A6 PUT ping": { method: "PUT" },
  "A6 PUT": { method: "PUT" },
  "A6 OPTIONS ping": { method: "OPTIONS", body: "" },
  "A6 unknown": { target: "/_matrix/app/v1/nothing" },
  "A6 unknown route": { target: "/_matrix/app/v1/nothing" },
  "A6 unknown no token": { target: "/_matrix/app/v1/nothing", authorization: undefined },
  "A6 unknown route no token": { target: "/_matrix/app/v1/nothing", authorization: undefined },
  "A7 legacy /ping": { target: "/ping" },
  "A7 /ping": { target: "/ping" },
  "A8 //ping": { target: `/${ping}` },
  "A8 double slash": { target: `/${ping}` },
  "A8 trailing slash": { target: `${ping}/` },
  "A9 unstable": { target: Fixture.appserviceUnstablePath },
  "root GET": { method: "GET", target: "/", body: "" }
})
