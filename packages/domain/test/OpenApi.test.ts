import { AppserviceApi } from "@appservice-ping/domain/AppserviceApi"
import { HomeserverApi } from "@appservice-ping/domain/HomeserverApi"
import { assert, describe, it } from "@effect/vitest"
import { OpenApi } from "effect/http-api"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { type DocumentFacts, documentFacts, missing } from "./openapi/facts.ts"
import * as official from "./openapi/official.ts"
import { readOfficial } from "./openapi/readOfficial.ts"

const documents = {
  "client-server": OpenApi.fromApi(HomeserverApi),
  "application-service": OpenApi.fromApi(AppserviceApi)
}

const clientServer = documentFacts(documents["client-server"])
const applicationService = documentFacts(documents["application-service"])

describe("the OpenAPI documents", () => {
  it("state everything that the official client-server documents state", () => {
    assert.deepStrictEqual(missing(official.clientServer, clientServer), [])
  })

  it("state everything that the official application-service document states", () => {
    assert.deepStrictEqual(missing(official.applicationService, applicationService), [])
  })

  it("C22 state of the unstable ping what the official document states of the stable one", () => {
    const [ping] = official.clientServer.operations
    assert.isDefined(ping)
    const path = "/_matrix/client/unstable/fi.mau.msc2659/appservice/{appserviceId}/ping"
    const unstable: DocumentFacts = {
      operations: [{ ...ping, path, operationId: "pingAppserviceUnstable" }],
      securitySchemes: {}
    }
    assert.deepStrictEqual(missing(unstable, clientServer), [])
    assert.isTrue(documents["client-server"].paths[path]?.post?.deprecated)
  })

  it("A9 state of the unstable call what the official document states of the stable one", () => {
    const [ping] = official.applicationService.operations
    assert.isDefined(ping)
    const path = "/_matrix/app/unstable/fi.mau.msc2659/ping"
    const unstable: DocumentFacts = {
      operations: [{ ...ping, path, operationId: "pingUnstable" }],
      securitySchemes: {}
    }
    assert.deepStrictEqual(missing(unstable, applicationService), [])
    assert.isTrue(documents["application-service"].paths[path]?.post?.deprecated)
  })

  it("C18 state of a rate limit what the official definition states", () => {
    const [ping] = clientServer.operations
    assert.isDefined(ping)
    const limited = (content: { readonly [type: string]: object }): DocumentFacts => ({
      operations: [{ ...ping, responses: { 429: content } }],
      securitySchemes: {}
    })
    assert.deepStrictEqual(missing(limited({ "application/json": official.rateLimit }), clientServer), [])
  })

  it.each(Object.entries(documents))("%s forbids no extra key in any body", (_, document) => {
    const closed = /"(?:additionalProperties|unevaluatedProperties)":false|"(?:maxProperties|propertyNames)"/
    assert.notMatch(JSON.stringify(document), closed)
    assert.match(JSON.stringify({ schema: { additionalProperties: false } }), closed)
  })

  it.each(Object.entries(documents))("%s is OpenAPI 3.1 and refers to nothing that it does not hold", (_, document) => {
    assert.strictEqual(document.openapi, "3.1.0")
    assert.notInclude(JSON.stringify(document), "$ref")
    const facts = documentFacts(document)
    for (const { operationId, security } of facts.operations) {
      assert.isNotEmpty(operationId)
      for (const scheme of security.flat()) assert.property(facts.securitySchemes, scheme)
    }
  })

  it("C2 C3 C6 C18 state the answers that the official document leaves out", () => {
    const [ping] = clientServer.operations
    assert.hasAllKeys(ping?.responses, ["200", "400", "401", "403", "429", "502", "504"])
    const [call] = applicationService.operations
    assert.hasAllKeys(call?.responses, ["200", "400", "401", "403"])
  })
})

describe("the comparison of OpenAPI documents", () => {
  const [ping, versions] = official.clientServer.operations
  assert.isDefined(ping)
  assert.isDefined(versions)
  const change = (change: Partial<typeof ping>): DocumentFacts => ({
    ...official.clientServer,
    operations: [{ ...ping, ...change }, versions]
  })
  const body = ping.responses["502"]?.["application/json"]
  const answer = (schema: object) =>
    change({ responses: { ...ping.responses, 502: { "application/json": { ...body, ...schema } } } })
  const at = "post /_matrix/client/v1/appservice/{appserviceId}/ping"

  it("finds nothing in a document itself", () => {
    assert.deepStrictEqual(missing(official.clientServer, official.clientServer), [])
  })

  it.each<readonly [string, DocumentFacts, string]>([
    ["a path", change({ path: "/ping" }), at],
    ["a method", change({ method: "put" }), at],
    ["an operationId", change({ operationId: "other" }), `${at}: operationId pingAppservice`],
    ["a security requirement", change({ security: [] }), `${at}: security [["appserviceAccessTokenBearer"]]`],
    ["a parameter", change({ parameters: [] }), `${at}: parameter appserviceId`],
    ["a required body", change({ requestBody: { required: false, content: {} } }), `${at}: body required true`],
    ["a status", change({ responses: {} }), `${at}: 504`],
    ["the type of a body", answer({ type: "array" }), `${at}: 502 application/json: type "object"`],
    ["a required key", answer({ required: [] }), `${at}: 502 application/json: required ["errcode"]`],
    ["a property", answer({ properties: {} }), `${at}: 502 application/json.status`],
    [
      "an enum",
      answer({ properties: { ...body?.properties, errcode: { type: "string" } } }),
      `${at}: 502 application/json.errcode: enum ["M_BAD_STATUS","M_CONNECTION_FAILED"]`
    ],
    ["a security scheme", { ...official.clientServer, securitySchemes: {} }, "security scheme accessTokenBearer"]
  ])("finds %s that is missing", (_, ours, found) => {
    assert.include(missing(official.clientServer, ours), found)
  })
})

const spec = join(import.meta.dirname, "../../../../shared/spec")

describe("the facts of the official documents", () => {
  const factsOf = (file: string): DocumentFacts => documentFacts(readOfficial(join(spec, file)))

  it.runIf(existsSync(spec))("are those of ../shared/spec (runs where the official documents are there)", () => {
    const ping = factsOf("client-server/appservice_ping.yaml")
    const versions = factsOf("client-server/versions.yaml")
    assert.deepStrictEqual(official.clientServer, {
      operations: [...ping.operations, ...versions.operations],
      securitySchemes: { ...ping.securitySchemes, ...versions.securitySchemes }
    })
    assert.deepStrictEqual(official.applicationService, factsOf("application-service/ping.yaml"))
    const schema = readOfficial(join(spec, "client-server/definitions/errors/rate_limited.yaml"))
    const asAnswer = {
      paths: { "/x": { get: { responses: { 429: { content: { "application/json": { schema } } } } } } }
    }
    assert.deepStrictEqual(documentFacts(asAnswer).operations[0]?.responses["429"], {
      "application/json": official.rateLimit
    })
  })
})
