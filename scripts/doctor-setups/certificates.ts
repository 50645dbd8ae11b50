/** Certificates made at run time with the `openssl` command, by an authority of our own. */
import { execFile } from "node:child_process"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"

/** A certificate and its key, in PEM form. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** Certificates of each kind, all for 127.0.0.1 unless they say otherwise. */
export interface Certificates {
  /** The file of the authority, for `NODE_EXTRA_CA_CERTS`. */
  readonly authority: string
  readonly good: Certificate
  readonly selfSigned: Certificate
  readonly expired: Certificate
  readonly otherHost: Certificate
}

const run = promisify(execFile)

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

/** Makes all certificates in a folder. */
export const makeCertificates = async (folder: string): Promise<Certificates> => {
  const path = (name: string) => join(folder, name)
  const openssl = (...args: ReadonlyArray<string>) => run("openssl", [...args], { timeout: 30_000 })
  const read = async (name: string): Promise<Certificate> => ({
    key: await readFile(path(`${name}.key`), "utf8"),
    cert: await readFile(path(`${name}.pem`), "utf8")
  })

  const selfSigned = async (name: string, subject: string, extensions: ReadonlyArray<string>) => {
    const files = ["-keyout", path(`${name}.key`), "-out", path(`${name}.pem`)]
    const added = extensions.flatMap((extension) => ["-addext", extension])
    await openssl("req", "-x509", ...newKey, ...files, "-days", "2", "-subj", subject, ...added)
  }
  await selfSigned("authority", "/CN=Authority of the set-ups", [])
  await selfSigned("self-signed", "/CN=127.0.0.1", ["subjectAltName=IP:127.0.0.1"])

  // `x509` knows no date of the past before OpenSSL 3.4; `ca` always did.
  await writeFile(path("index.txt"), "")
  await writeFile(
    path("ca.conf"),
    `[ca]\ndefault_ca = own\n[own]\ndatabase = ${path("index.txt")}\nnew_certs_dir = ${folder}\nrand_serial = yes\n` +
      "default_md = sha256\npolicy = any\nunique_subject = no\n[any]\ncommonName = supplied\n"
  )
  const issue = async (name: string, altName: string, dates: ReadonlyArray<string>) => {
    await openssl(
      "req",
      ...newKey,
      "-keyout",
      path(`${name}.key`),
      "-out",
      path(`${name}.csr`),
      "-subj",
      `/CN=${name}`
    )
    await writeFile(path(`${name}.ext`), `subjectAltName = ${altName}\n`)
    const authority = ["-cert", path("authority.pem"), "-keyfile", path("authority.key")]
    const files = ["-in", path(`${name}.csr`), "-out", path(`${name}.pem`), "-extfile", path(`${name}.ext`)]
    await openssl("ca", "-batch", "-notext", "-config", path("ca.conf"), ...authority, ...files, ...dates)
  }
  await issue("good", "IP:127.0.0.1", ["-days", "2"])
  await issue("expired", "IP:127.0.0.1", ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"])
  await issue("other-host", "DNS:elsewhere.example", ["-days", "2"])

  return {
    authority: path("authority.pem"),
    good: await read("good"),
    selfSigned: await read("self-signed"),
    expired: await read("expired"),
    otherHost: await read("other-host")
  }
}
