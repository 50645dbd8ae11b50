#!/bin/sh
# Makes the certificates of the testbed, good and bad, and writes testbed/src/carrier/tls/Certificates.ts.
#
# Run it only to change them: every run makes new keys. The keys are published with the testbed and protect nothing. The
# keys of the two authorities are thrown away, so that nobody can sign with an authority that a test trusts.
set -eu

out="$(dirname "$0")/../testbed/src/carrier/tls/Certificates.ts"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > ca.cnf <<'CONFIG'
[ca]
default_ca = test
[test]
dir = .
new_certs_dir = .
database = index.txt
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, DNS:homeserver.test, DNS:appservice.test, DNS:*.homeserver.test, DNS:*.appservice.test, IP:127.0.0.1, IP:::1
[elsewhere]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:elsewhere.invalid
CONFIG
: > index.txt

long_ago=20200101000000Z
recently=20210101000000Z
far=21190101000000Z
end=21200101000000Z

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2> /dev/null; }

# sign NAME COMMON_NAME EXTENSIONS START END SIGNER KEY; a signer called `self` is the key itself.
sign() {
  openssl req -new -config ca.cnf -key "$7.key" -subj "/CN=$2" -out "$1.csr"
  if [ "$6" = self ]; then
    openssl ca -batch -notext -config ca.cnf -selfsign -keyfile "$7.key" -extensions "$3" \
      -startdate "$4" -enddate "$5" -in "$1.csr" -out "$1.pem" 2> /dev/null
  else
    openssl ca -batch -notext -config ca.cnf -cert "$6.pem" -keyfile "$6.key" -extensions "$3" \
      -startdate "$4" -enddate "$5" -in "$1.csr" -out "$1.pem" 2> /dev/null
  fi
}

key ca && key other && key server
sign ca "appservice-ping test authority" authority "$long_ago" "$end" self ca
sign other "another test authority" authority "$long_ago" "$end" self other
sign good localhost server "$long_ago" "$end" ca server
sign self_signed localhost server "$long_ago" "$end" self server
sign untrusted localhost server "$long_ago" "$end" other server
sign expired localhost server "$long_ago" "$recently" ca server
sign not_yet_valid localhost server "$far" "$end" ca server
sign wrong_host elsewhere.invalid elsewhere "$long_ago" "$end" ca server

pem() {
  printf '`'
  cat "$1"
  printf '`'
}

cd - > /dev/null
{
  cat <<'TS'
/**
 * Certificates for tests of TLS, good and bad. Made by scripts/make-certificates.sh.
 *
 * **THE KEY IS PUBLIC.** It is published with this package, so anyone can pretend to be a server that uses it: never
 * trust these certificates outside of tests, and never serve anything real with them.
 *
 * @since 0.1.0
 */
import type { Certificate } from "../../step/Action.ts"

/**
 * The authority that a client trusts in a test, as PEM. Its key was thrown away.
 *
 * @category constants
 * @since 0.1.0
 */
TS
  printf 'export const ca = %s\n' "$(pem "$work/ca.pem")"
  cat <<'TS'

/**
 * The key of every certificate of {@link certificates}, as PEM: A PUBLIC TEST KEY THAT PROTECTS NOTHING.
 *
 * @category constants
 * @since 0.1.0
 */
TS
  printf 'export const key = %s\n' "$(pem "$work/server.key")"
  cat <<'TS'

/**
 * The certificates, as PEM: a good one, and one for each thing that can be wrong.
 *
 * **Details**
 *
 * All but `wrong_host` are for localhost, 127.0.0.1, ::1, `homeserver.test`, `appservice.test` and their subdomains.
 * They are valid from 2020 to 2120, but for the two whose defect is their time.
 *
 * @category constants
 * @since 0.1.0
 */
export const certificates: { readonly [C in Certificate]: string } = {
TS
  separator=""
  for name in good self_signed untrusted expired not_yet_valid wrong_host; do
    printf '%s  %s: ' "$separator" "$name"
    printf '%s' "$(pem "$work/$name.pem")"
    separator=",
"
  done
  printf '\n}\n'
} > "$out"
