/** What a server shakes hands with: a certificate of the fixtures, and what makes the handshake fail. */
import * as Tls from "node:tls"
import type { Certificate, Step } from "../../step/Step.ts"
import { ca, certificates, key } from "./Certificates.ts"

const contexts = new Map<string, Tls.SecureContext>()

const contextOf = (certificate: Certificate, version: "1.1" | undefined): Tls.SecureContext => {
  const name = `${certificate} ${version ?? ""}`
  const known = contexts.get(name)
  if (known !== undefined) return known
  const context = Tls.createSecureContext({
    key,
    cert: certificates[certificate],
    ca,
    // The library has to be told twice that it may be that old.
    ...version === undefined ? {} : { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" }
  })
  contexts.set(name, context)
  return context
}

/** The options of a handshake. */
export const certificateContext = (secure: Extract<Step, { step: "secure" }>): Tls.TLSSocketOptions => ({
  secureContext: contextOf(secure.certificate, secure.version),
  ...secure.client_certificate === true ? { requestCert: true, rejectUnauthorized: true } : {}
})
