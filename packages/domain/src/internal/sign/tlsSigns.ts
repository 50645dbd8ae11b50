/** TLS: plain HTTP and TLS on the wrong port, and what is wrong with a certificate or a handshake. */
import type { Row, TlsDefect } from "./Sign.ts"

const tls = (defect: TlsDefect, rows: ReadonlyArray<readonly [Row["family"], RegExp, source: string]>) =>
  rows.map(([family, pattern, source]): Row => ({ sign: "tls", tls: defect, family, pattern, source }))

/** Plain HTTP to a port that speaks TLS: in the words of the server, or the bytes of its TLS alert. */
export const httpToTlsSigns: ReadonlyArray<Row> = [
  {
    sign: "httpToTls",
    family: "proxies",
    pattern: /plain HTTP request was sent to (?:an )?HTTPS port/i,
    source: "nginx, OpenResty, Tengine, AWS ALB, Cloudflare"
  },
  {
    sign: "httpToTls",
    family: "proxies",
    pattern:
      /speaking plain HTTP to an SSL|use the HTTPS scheme to access this URL|plain HTTP to an? (?:TLS|SSL|HTTPS)/i,
    source: "Apache httpd"
  },
  {
    sign: "httpToTls",
    family: "Go",
    pattern: /sent an HTTP request to an HTTPS server/i,
    source: "net/http, Caddy, Traefik"
  },
  {
    sign: "httpToTls",
    family: "Python",
    pattern: /sent a plain HTTP request, but this server only speaks HTTPS/i,
    source: "cheroot"
  },
  { sign: "httpToTls", family: "Java", pattern: /combination of host and port requires TLS/i, source: "Tomcat" },
  {
    sign: "httpToTls",
    family: "any",
    pattern:
      /(?:HTTP|non-?TLS|non-?SSL|plain ?text)(?: request| traffic| connection)?s? (?:was |were )?(?:sent |made |received |arrived )?(?:to|on|at|over) (?:an? |the )?(?:HTTPS|TLS|SSL)(?:-enabled|-only)?(?: \w+)? (?:port|server|listener|socket)/i,
    source: "many servers"
  },
  {
    sign: "httpToTls",
    family: "any",
    pattern:
      /(?:this|the) (?:port|server|host|endpoint|site) (?:only )?(?:requires|expects|needs|speaks|accepts|supports|is) (?:only )?(?:HTTPS|TLS|SSL)\b(?!.{0,20}cert)|(?:requires|please use|use|only over|only via) HTTPS\b|HTTPS (?:is )?required|SSL (?:is )?required/i,
    source: "many servers"
  },
  // A TLS alert, as the clients print the bytes that they took for a status line.
  {
    sign: "httpToTls",
    family: "any",
    pattern: /\\x15\\x03|\\u0015\\u0003|%15%03|\\025\\003/i,
    source: "RFC 8446: an alert record"
  },
  { sign: "httpToTls", family: "ours", pattern: /the port speaks TLS/i, source: "ConnectionFailure" }
]

/** TLS to a port that does not speak it. */
export const plainSigns: ReadonlyArray<Row> = tls("plain", [
  ["ours", /does not speak TLS/i, "ConnectionFailure"],
  [
    "Go",
    /HTTP response to HTTPS client|not look like a TLS handshake|oversized record received with length 20527/i,
    "net/http, crypto/tls"
  ],
  ["Rust", /InvalidContentType|InvalidMessage\(Invalid/i, "rustls"],
  [
    "Python",
    /wrong.version.number|UNKNOWN_PROTOCOL|unknown protocol|HTTP_REQUEST\b|packet length too long|record layer failure/i,
    "OpenSSL, by way of ssl, pyOpenSSL, Node and native-tls"
  ],
  [
    "Java",
    /Unsupported or unrecognized SSL message|plaintext connection\?|Unable to parse TLS packet header|Not an SSL\/TLS record|NotSslRecord|Invalid TLS record type/i,
    "JSSE, Conscrypt, Netty, ktor"
  ],
  [".NET", /Cannot determine the frame size or a corrupted frame/i, "SslStream"],
  [
    "curl",
    /unexpected TLS packet was received|message received was unexpected or badly formatted/i,
    "GnuTLS, Schannel"
  ],
  [
    "any",
    /(?:plain(?:-| )?text|plain|HTTP) (?:response|answer|reply|server) (?:to|on|for|instead of|rather than) (?:an? )?(?:HTTPS|TLS|SSL)/i,
    "many clients"
  ]
])

/** Certificates and handshakes; each text may name more than one thing, so what is most specific comes first. */
export const tlsSigns: ReadonlyArray<Row> = [
  ...tls("otherHost", [
    ["ours", /certificate is for another host/i, "ConnectionFailure"],
    [
      "Go",
      /certificate is (?:not )?valid for\b|doesn't contain any IP SANs|cannot validate certificate for\b|legacy Common Name field|certificate name does not match input/i,
      "crypto/x509"
    ],
    ["Rust", /NotValidForName|not valid for (?:any )?names?\b|only valid for/i, "rustls, webpki"],
    [
      "Python",
      /(?:Hostname|IP address|DNS|host name|CertificateHostname)\s?-?mismatch|doesn't match (?:either of )?['"]|DNSMismatch|IPAddressMismatch|SRVMismatch|\bVerificationError|no appropriate (?:commonName|subjectAltName)|certificate is not valid for/i,
      "ssl, urllib3, service_identity"
    ],
    ["Node", /ERR_TLS_CERT_ALTNAME_INVALID|certificate's altnames|cert's altnames/i, "node:tls"],
    [
      "Java",
      /No (?:subject alternative|name matching)|Hostname \S* ?not verified|subject alternative (?:DNS )?names? (?:matching|present)/i,
      "JSSE, OkHttp"
    ],
    [
      ".NET",
      /RemoteCertificateNameMismatch|target principal name is incorrect|CN name does not match/i,
      "SslStream, Schannel"
    ],
    [
      "curl",
      /subject name .{0,200}does not match|name in the certificate does not match|subject name matches target/i,
      "libcurl, GnuTLS"
    ],
    ["Erlang", /hostname_check_failed/i, "ssl"]
  ]),
  ...tls("early", [
    ["ours", /certificate is not valid yet/i, "ConnectionFailure"],
    ["Go", /not yet valid: current time \S+ is before/i, "crypto/x509"],
    ["Rust", /NotValidYet|not valid yet|not valid before/i, "rustls"],
    ["Python", /(?<!expired or is )not[ _]yet[ _]valid/i, "OpenSSL, by way of ssl, Node and native-tls"],
    ["Java", /CertificateNotYetValid|NotBefore:/i, "java.security"],
    ["curl", /not activated/i, "GnuTLS"]
  ]),
  ...tls("expired", [
    ["Go", /not yet valid: current time \S+ is after/i, "crypto/x509"],
    [
      "any",
      /certificate (?:is |has |was )?expired(?! or is not yet valid)|CertificateExpired|certificate_expired|CERT_HAS_EXPIRED|InvalidCertificate\(Expired|invalid peer certificate: Expired|NotAfter:|expired certificate|not valid after|NotTimeValid|not within its validity period|certExpired/i,
      "OpenSSL, rustls, JSSE, SslStream, ssl"
    ]
  ]),
  {
    sign: "tls",
    tls: "expired",
    family: "Go",
    pattern: /has expired or is not yet valid/i,
    source: "crypto/x509, cut before the times that show which",
    possible: true
  },
  ...tls("revoked", [[
    "any",
    /certificate (?:is |was |has been )?revoked|CERT_REVOKED|InvalidCertificate\(Revoked|invalid peer certificate: Revoked|certificate_revoked|CertificateRevoked|revoked certificate/i,
    "all"
  ]]),
  ...tls("clientCertificate", [
    [
      "any",
      /certificate[ _]required|CertificateRequired|peer did not return a certificate|no (?:required )?(?:SSL|client) certificate|client certificate|No required SSL certificate/i,
      "RFC 8446: certificate_required; nginx"
    ],
    ["Go", /remote error: tls: (?:(?:bad|unknown|unsupported) certificate|access denied)/i, "crypto/tls"],
    ["Rust", /received fatal alert: (?:BadCertificate|CertificateUnknown|UnknownCA|AccessDenied)/i, "rustls"],
    [
      "Python",
      /alert (?:bad certificate|certificate unknown|unknown ca|access denied)/i,
      "OpenSSL, by way of ssl, pyOpenSSL and Node"
    ],
    ["Java", /Received fatal alert: (?:bad_certificate|certificate_unknown|unknown_ca|access_denied)/i, "JSSE"]
  ]),
  ...tls("untrusted", [
    [
      "Go",
      /unknown authority|certificate is not (?:trusted|standards compliant)|not authorized to sign|parent certificate cannot sign/i,
      "crypto/x509"
    ],
    [
      "Rust",
      /UnknownIssuer|CaUsedAsEndEntity|BadSignature|UnsupportedSignatureAlgorithm|invalid peer certificate: (?:Other|Bad|Unhandled|Invalid)/i,
      "rustls"
    ],
    [
      "Python",
      /self[-_ ]?signed|ServerFingerprintMismatch|local issuer|issuer certificate|unable to verify the first|certificate chain too long|invalid CA certificate/i,
      "OpenSSL, by way of ssl, Node and native-tls"
    ],
    [
      "Node",
      /DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|issuer of the TLS certificate is unknown|chain is incomplete/i,
      "node:tls"
    ],
    [
      "Java",
      /PKIX path building failed|valid certification path|Trust anchor|unable to find valid cert/i,
      "JSSE, Android"
    ],
    [".NET", /UntrustedRoot|PartialChain|authority that is not trusted/i, "SslStream, Schannel"],
    ["curl", /certificate is NOT trusted|issuer is (?:not recognized|unknown)/i, "GnuTLS, NSS"],
    ["Erlang", /unknown_ca|selfsigned_peer|Unknown CA/i, "ssl"]
  ]),
  ...tls("version", [
    [
      "any",
      /protocol[ _]?version|ProtocolVersion|no supported versions|unsupported protocol|NoCipherSuitesInCommon|no (?:ciphers|shared cipher|cipher suites)|handshake[ _]?failure|HandshakeFailure|HANDSHAKE_FAILURE|No appropriate protocol|peer is incompatible|insufficient[ _]security|inappropriate[ _]fallback|unrecognized[ _]name|no[ _]application[ _]protocol|NoApplicationProtocol|UnrecognisedName|dh key too small|unsafe legacy renegotiation/i,
      "RFC 8446: alerts; OpenSSL, rustls, JSSE, crypto/tls"
    ]
  ]),
  ...tls("rejected", [
    [
      "any",
      /certificate[ _]verify[ _]failed|failed to verify certificate|invalid peer certificate|certificate was rejected|RemoteCertificate|certificate validation|Chain validation failed|PKIX path validation|SSL certificate problem|bad_cert|InvalidCertificate|CertificateError|\bx509: |PeerVerifyError/i,
      "OpenSSL, rustls, crypto/tls, JSSE"
    ]
  ]),
  ...tls("unknown", [
    [
      "any",
      /TLS handshake (?!timeout)|tls_alert|SSLError|SSLHandshakeException|SSLException|OpenSSL\.SSL\.Error|ERR_SSL_|\bEPROTO\b|ssl routines|SSL_connect|SSL connection could not|secure TLS connection|TLS connection could not|closed in the TLS handshake|received fatal alert|remote error: tls|\bx509: |\btls: |terminated the handshake|ClientConnectorSSLError|ClientConnectorCertificateError/i,
      "all"
    ]
  ])
]
