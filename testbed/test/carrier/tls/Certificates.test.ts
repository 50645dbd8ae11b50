import { ca, certificates } from "@appservice-ping/testbed/carrier/tls/Certificates"
import * as Fault from "@appservice-ping/testbed/fault/Fault"
import { kind } from "@appservice-ping/testbed/fault/kind/Tls"
import * as Plan from "@appservice-ping/testbed/plan/Plan"
import { Certificate } from "@appservice-ping/testbed/step/Step"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { X509Certificate } from "node:crypto"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { until } from "../../support/observe.ts"
import { observe } from "../wire/support/Observer.ts"
import { answer, kinds, setup } from "../wire/support/Setup.ts"

const leg = "to_appservice"

/** A client that looks at the certificate, as all do by default: what it says, or the code it refuses with. */
const handshake = (port: number, options: Tls.ConnectionOptions = {}) =>
  Effect.callback<string>((resume) => {
    const socket = Tls.connect({ host: "127.0.0.1", port, servername: "appservice.test", ca, ...options })
    const done = (result: string): void => {
      resume(Effect.succeed(result))
      socket.destroy()
    }
    // A server that asks for a certificate of the client refuses it only after the client's own handshake is over.
    socket.on("secureConnect", () => socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
    socket.on("data", () => done(socket.getPeerX509Certificate()?.fingerprint256 ?? ""))
    socket.on("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
    socket.on("close", () => done("closed"))
  })

describe("Certificates", { timeout: 30_000 }, () => {
  it("are for the names of the testbed, and valid from 2020 to 2120, but for what is wrong with them", () => {
    const authority = new X509Certificate(ca)
    for (const name of Certificate.literals) {
      const certificate = new X509Certificate(certificates[name])
      const isForHost = certificate.checkHost("appservice.test") !== undefined
      const isForAddress = certificate.checkIP("127.0.0.1") !== undefined
      assert.deepStrictEqual([isForHost, isForAddress], [name !== "wrong_host", name !== "wrong_host"], name)
      const years = [certificate.validFrom, certificate.validTo].map((date) => new Date(date).getUTCFullYear())
      const wanted = name === "expired" ? [2020, 2021] : name === "not_yet_valid" ? [2119, 2120] : [2020, 2120]
      assert.deepStrictEqual(years, wanted, name)
      const isOurs = name !== "self_signed" && name !== "untrusted"
      assert.strictEqual(certificate.checkIssued(authority) && certificate.verify(authority.publicKey), isOurs, name)
      // Synapse refuses the whole certificate for a wildcard right below a top-level name.
      assert.notMatch(certificate.subjectAltName ?? "", /\*\.[^.,]+(?:,|$)/, name)
    }
  })

  it.live("good: the client goes on, for every name and address of the testbed", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup({ tls: true })
      assert.strictEqual(proxy.url.protocol, "https:")
      const { fingerprint256 } = new X509Certificate(certificates.good)
      const names = ["localhost", "appservice.test", "homeserver.test", "irc.appservice.test"]
      for (const servername of names) {
        assert.strictEqual(yield* handshake(proxy.port, { servername }), fingerprint256)
      }
      assert.strictEqual(asked.length, names.length)
      const { ending, text } = yield* observe(proxy.url, {
        tls: { ca, servername: "localhost", rejectUnauthorized: true }
      })
      assert.include(text, answer.body)
      assert.strictEqual(ending, "fin")
      assert.deepStrictEqual(kinds(yield* session.journal).slice(0, 7), [
        "connecting",
        "connected",
        "secured",
        "request",
        "asked",
        "answered",
        "sent"
      ])
    }))

  const refusals = {
    self_signed: "DEPTH_ZERO_SELF_SIGNED_CERT",
    untrusted: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    expired: "CERT_HAS_EXPIRED",
    not_yet_valid: "CERT_NOT_YET_VALID",
    wrong_host: "ERR_TLS_CERT_ALTNAME_INVALID",
    alert: "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE",
    old_version: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    client_certificate_required: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
    plain_http: "ERR_SSL_WRONG_VERSION_NUMBER"
  } as const satisfies { readonly [D in Extract<Fault.Fault, { type: "tls" }>["defect"]]: string }

  for (const defect of kind.schema.fields.defect.literals) {
    it.live(`${defect}: the client refuses with ${refusals[defect]}, and the application is not asked`, () =>
      Effect.gen(function*() {
        const { asked, proxy, session } = yield* setup({ tls: true })
        const injection = yield* session.inject(Plan.of(leg, { type: "tls", defect }))
        assert.strictEqual(yield* handshake(proxy.port), refusals[defect])
        yield* until(injection.applied, 1)
        assert.deepStrictEqual(asked, [])
      }))
  }

  for (const defect of ["self_signed", "untrusted", "expired", "not_yet_valid", "wrong_host"] as const) {
    it.live(`${defect}: a client that looks at no certificate gets this one, and its answer`, () =>
      Effect.gen(function*() {
        const { asked, proxy, session } = yield* setup({ tls: true })
        const injection = yield* session.inject(Plan.of(leg, { type: "tls", defect }))
        const { fingerprint256 } = new X509Certificate(certificates[defect])
        assert.strictEqual(yield* handshake(proxy.port, { rejectUnauthorized: false }), fingerprint256)
        assert.strictEqual(yield* injection.applied, 1)
        assert.strictEqual(asked.length, 1)
      }))
  }

  it.live("alert and plain-http: these bytes and a FIN, after the first bytes of the client", () =>
    Effect.gen(function*() {
      const { proxy, session } = yield* setup({ tls: true })
      const wanted = {
        alert: "\u0015\u0003\u0003\u0000\u0002\u0002(",
        plain_http: "HTTP/1.1 400 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
      } as const
      for (const defect of ["alert", "plain_http"] as const) {
        yield* Effect.scoped(Effect.gen(function*() {
          yield* session.inject(Plan.of(leg, { type: "tls", defect }))
          const { ending, text } = yield* observe(proxy.url, { send: [{ text: "\u0016" }] })
          assert.strictEqual(text, wanted[defect])
          assert.strictEqual(ending, "fin")
        }))
      }
    }))

  const head = "HTTP/1.1 200 \r\nContent-Type: application/json\r\nConnection: close\r\n"
  const within = [
    { fault: Fault.resetPeer({ phase: "before_headers" }), text: "", ending: "rst" },
    { fault: Fault.resetPeer({ phase: "in_body" }), text: `${head}Content-Length: 20\r\n\r\n{"cut":`, ending: "rst" },
    { fault: Fault.close({ phase: "in_body" }), text: `${head}Content-Length: 20\r\n\r\n{"cut":`, ending: "fin" },
    { fault: Fault.close({ phase: "request" }), text: "", ending: "fin" },
    { fault: Fault.resetPeer({ phase: "request" }), text: "", ending: "rst" },
    { fault: Fault.lostAnswer("rst"), text: "", ending: "rst" },
    { fault: Fault.crash({ down_for: 0 }), text: "", ending: "rst" }
  ] as const
  for (const { ending, fault, text } of within) {
    it.live(`${Fault.describe(fault)}: under TLS it is the same, on the connection below`, () =>
      Effect.gen(function*() {
        const { proxy, session } = yield* setup({ tls: true })
        const injection = yield* session.inject(Plan.of(leg, fault))
        const seen = yield* observe(proxy.url, { tls: { ca, servername: "localhost", rejectUnauthorized: true } })
        assert.strictEqual(seen.text, text)
        assert.strictEqual(seen.ending, ending)
        assert.strictEqual(yield* injection.applied, 1)
      }))
  }

  it.live("a fault of TLS does not strike where nobody speaks it", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup()
      const injection = yield* session.inject(Plan.of(leg, { type: "tls", defect: "expired" }))
      assert.include((yield* observe(proxy.url)).text, answer.body)
      assert.strictEqual(asked.length, 1)
      const [report] = yield* injection.report
      assert.deepInclude(report, { matched: 1, suppressed: 1, fired: 0, applied: 0 })
    }))

  it.live("a client that speaks no TLS to a proxy that does is let go", () =>
    Effect.gen(function*() {
      const { asked, proxy, session } = yield* setup({ tls: true })
      yield* observe(proxy.url)
      assert.deepStrictEqual(asked, [])
      yield* until(Effect.map(session.journal, (all) => kinds(all).at(-1)), "closed server fin")
    }))

  it.live("passes on to a real server that speaks TLS, and to none with a bad certificate", () =>
    Effect.gen(function*() {
      const secure = yield* setup({ tls: true })
      const upstream = { host: "127.0.0.1", port: secure.proxy.port, tls: true, ca }
      const { proxy } = yield* setup({ upstream })
      assert.include((yield* observe(proxy.url)).text, answer.body)
      yield* secure.session.inject(Plan.of(leg, { type: "tls", defect: "expired" }))
      const refused = yield* observe(proxy.url, { connect: () => Net.connect(proxy.port, "127.0.0.1") })
      assert.strictEqual(refused.ending, "rst")
      assert.strictEqual(secure.asked.length, 1)
    }))
})
