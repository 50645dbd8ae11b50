/** What clients write into `error`, by kind: members of the kinds in `diagnosis.json` that are not there. */

import type { Actor } from "@appservice-ping/domain/Diagnosis"

/** What must be said of each member of a kind. */
export interface Kind {
  readonly name: string
  readonly url: string
  readonly actor: Actor
  readonly temporary: boolean
  readonly cause: RegExp
  readonly texts: ReadonlyArray<readonly [family: string, text: string]>
}

const http = "http://bridge:29318"
const https = "https://bridge:29318"
const asked = `${http}/_matrix/app/v1/ping`
const askedTls = `${https}/_matrix/app/v1/ping`

const lasting = (
  name: string,
  url: string,
  cause: RegExp,
  texts: Kind["texts"],
  actor: Actor = "operator"
): Kind => ({ name, url, actor, temporary: false, cause, texts })

const passing = (
  name: string,
  url: string,
  cause: RegExp,
  texts: Kind["texts"],
  actor: Actor = "operator"
): Kind => ({ name, url, actor, temporary: true, cause, texts })

export const kinds: ReadonlyArray<Kind> = [
  lasting("A: the host of the url", http, /cannot use the url .* host/, [
    ["idna", "InvalidCodepoint: Codepoint U+007E at position 3 of 'my~bridge' not allowed"],
    ["idna", "InvalidCodepointContext: Joiner U+200D not allowed at position 3 in 'a'"],
    ["idna", "IDNAError: Label must not start or end with a hyphen"],
    ["idna", "IDNAError: Empty Label"],
    ["idna", "IDNABidiError: Unknown directionality in label 'x' at position 1"],
    ["encodings.idna", "UnicodeError: encoding with 'idna' codec failed (UnicodeError: label empty or too long)"],
    ["urllib.parse", "ValueError: Invalid IPv6 URL"],
    ["hyperlink", "URLParseError: invalid IPv4 address"],
    ["net/url", "parse \"http://my bridge\": invalid character \" \" in host name"],
    ["net/url", "parse \"http://[::1\": missing ']' in host"],
    ["net/http", "Post \"http:///_matrix/app/v1/ping\": http: no Host in request URL"],
    ["x/net/idna", "idna: disallowed rune U+005F"],
    ["url", "builder error: invalid IPv6 address"],
    ["url", "builder error: invalid international domain name"],
    ["url", "builder error: empty host"],
    ["url, Debug", "reqwest::Error { kind: Builder, source: InvalidIpv4Address }"],
    ["rustls", "client error (Connect): invalid dnsname"],
    ["OkHttp", "IllegalArgumentException: Invalid URL host: \"my bridge\""],
    ["java.net.http", `IllegalArgumentException: unsupported URI http://my_bridge:29318/`],
    ["System.Uri", "Invalid URI: The hostname could not be parsed."]
  ]),
  lasting("A: the port of the url", http, /cannot use the url .* port/, [
    ["http.client", "InvalidURL: nonnumeric port: '29318x'"],
    ["urllib.parse", "ValueError: Port out of range 0-65535"],
    ["urllib.parse", "ValueError: Port could not be cast to integer value as 'x'"],
    ["socket", "OverflowError: getsockaddrarg: port must be 0-65535."],
    ["net/url", "parse \"http://bridge:x\": invalid port \":x\" after host"],
    ["net", "dial tcp: address bridge:99999: invalid port"],
    ["url", "builder error: invalid port number"],
    ["node:net", "RangeError [ERR_SOCKET_BAD_PORT]: Port should be >= 0 and < 65536. Received type number (99999)."],
    ["OkHttp", "Invalid URL port: \"99999\""],
    ["libcurl", "URL rejected: Port number was not a decimal number between 0 and 65535"]
  ]),
  lasting("A: the scheme of the url", http, /cannot use the url .* scheme/, [
    ["twisted", "SchemeNotSupported: Unsupported scheme: b'wss'"],
    ["requests", "InvalidSchema: No connection adapters were found for 'unix:///run/as.sock'"],
    ["requests", "MissingSchema: Invalid URL 'bridge': No scheme supplied."],
    ["httpx", "UnsupportedProtocol: Request URL is missing an 'http://' or 'https://' protocol."],
    ["aiohttp", "NonHttpUrlClientError: unix:///run/as.sock"],
    ["net/http", "Post \"websocket\": unsupported protocol scheme \"\""],
    ["net/url", "parse \":29318\": missing protocol scheme"],
    ["reqwest", "builder error for url (unix:///run/as.sock): URL scheme is not allowed"],
    ["hyper-util", "client error (Connect): invalid URL, scheme is not http"],
    ["node:http", "TypeError [ERR_INVALID_PROTOCOL]: Protocol \"unix:\" not supported. Expected \"http:\""],
    ["undici", "unknown scheme"],
    ["OkHttp", "Expected URL scheme 'http' or 'https' but no scheme was found for websoc..."],
    ["java.net", "MalformedURLException: unknown protocol: unix"],
    ["libcurl", "Protocol \"unix\" not supported"],
    ["System.Net.Http", "Only 'http' and 'https' schemes are allowed."]
  ]),
  lasting("A: userinfo in the url", http, /cannot use the url .* user name/, [
    ["twisted", "ValueError: invalid hostname: me:@bridge"],
    ["net/url", "parse \"http://a b@bridge\": net/url: invalid userinfo"],
    ["undici", "Request cannot be constructed from a URL that includes credentials: http://bridge"]
  ]),
  lasting("A: the whole url", http, /cannot use the url .* URL/, [
    ["hyperlink", "URLParseError: could not parse url from 'bridge'"],
    ["http.client", "InvalidURL: URL can't contain control characters. '/ping x' (found at least ' ')"],
    ["net/url", "parse \"bridge:29318/x\": first path segment in URL cannot contain colon"],
    ["net/url", "parse \"http://bridge/%zz\": invalid URL escape \"%zz\""],
    ["url, Debug", "reqwest::Error { kind: Builder, source: RelativeUrlWithoutBase }"],
    ["hyper", "client requires absolute-form URIs"],
    ["node:url", "TypeError [ERR_INVALID_URL]: Invalid URL"],
    ["node:http", "TypeError [ERR_UNESCAPED_CHARACTERS]: Request path contains unescaped characters"],
    ["java.net", "java.net.URISyntaxException: Illegal character in path at index 21: http://bridge/a b"],
    ["libcurl", "URL using bad/illegal format or missing URL"]
  ]),
  lasting("A: the token", http, /hs_token/, [
    [
      "http.client",
      "UnicodeEncodeError: 'latin-1' codec can't encode character '\\u2003' in position 9: ordinal not in range(256)"
    ],
    ["http.client", "ValueError: Invalid header value b'Bearer a\\nb'"],
    [
      "aiohttp",
      "ValueError: Newline, carriage return, or null byte detected in headers. Potential header injection attack."
    ],
    ["h11", "LocalProtocolError: Illegal header value b'Bearer a\\n'"],
    ["net/http", `Post "${asked}": net/http: invalid header field value for "Authorization"`],
    ["http", "builder error: failed to parse header value"],
    ["node:http", "TypeError [ERR_INVALID_CHAR]: Invalid character in header content [\"Authorization\"]"],
    ["undici", "Headers.append: \"Bearer \u3000\" is an invalid header value."],
    ["OkHttp", "Unexpected char 0xa0 at 47 in Authorization value"],
    ["ktor", "Header value 'Bearer a\u00a0' contains illegal character '\u00a0' (code 160)"]
  ]),
  lasting("J: plain HTTP to TLS, as the bytes of an alert", http, /\bTLS\b/, [
    [
      "net/http",
      `Post "${asked}": net/http: HTTP/1.x transport connection broken: malformed HTTP response "\\x15\\x03\\x01\\x00\\x02\\x02"`
    ],
    [
      "aiohttp",
      "BadStatusLine: 400, message='Bad status line \\'Invalid HTTP version\\': b\\'\\x15\\x03\\x03\\x00\\x02\\x022\\''"
    ],
    [
      "twisted",
      "ResponseFailed: [<twisted.python.failure.Failure twisted.web._newclient.ParseError: (\"wrong number of parts\", b'\\x15\\x03\\x03\\x00\\x02\\x022')>]"
    ],
    ["OkHttp", "ProtocolException: Unexpected status line: \u0015\u0003\u0003\u0000\u0002\u0002P"],
    ["OkHttp, escaped", "ProtocolException: Unexpected status line: \\u0015\\u0003\\u0003"],
    ["ours", "the port speaks TLS, and the URL says http"]
  ]),
  lasting("L: TLS to a plain port", https, /does not speak TLS/, [
    ["crypto/tls", "tls: first record does not look like a TLS handshake"],
    ["rustls", "received corrupt message of type InvalidContentType"],
    ["native-tls", "error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl/record/ssl3_record.c:354:"],
    ["ssl", "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1007)"],
    ["ssl, OpenSSL 3.2", "ssl.SSLError: [SSL] record layer failure (_ssl.c:1000)"],
    [
      "pyOpenSSL",
      "[<twisted.python.failure.Failure OpenSSL.SSL.Error: [('SSL routines', '', 'wrong version number')]>]"
    ],
    [
      "pyOpenSSL",
      "[<twisted.python.failure.Failure OpenSSL.SSL.Error: [('SSL routines', '', 'packet length too long')]>]"
    ],
    [
      "aiohttp",
      "Cannot connect to host bridge:29318 ssl:default [[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:997)]"
    ],
    ["node:tls", "write EPROTO 80C8:error:0A00010B:SSL routines:ssl3_get_record:wrong version number"],
    ["JSSE", "javax.net.ssl.SSLException: Unsupported or unrecognized SSL message"],
    ["Netty", "io.netty.handler.ssl.NotSslRecordException: not an SSL/TLS record: 485454502f"],
    ["ktor", "Invalid TLS record type code: 72"],
    ["SslStream", "Cannot determine the frame size or a corrupted frame was received."],
    ["GnuTLS", "An unexpected TLS packet was received."]
  ]),
  lasting("L: a certificate for another host", https, /another host/, [
    ["crypto/x509", "x509: certificate is not valid for any names, but wanted to match bridge"],
    ["crypto/x509", "x509: certificate is valid for expired.example, not bridge"],
    ["crypto/x509", "x509: certificate relies on legacy Common Name field, use SANs instead"],
    ["crypto/x509, macOS", "x509: “other.example” certificate name does not match input"],
    [
      "rustls",
      "invalid peer certificate: certificate not valid for name \"bridge\"; certificate is only valid for DnsName(\"a.example\")"
    ],
    ["rustls, older", "invalid peer certificate: NotValidForName"],
    [
      "ssl",
      "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid for 'bridge'. (_ssl.c:1006)"
    ],
    ["ssl", "certificate verify failed: IP address mismatch, certificate is not valid for '10.0.0.5'. (_ssl.c:1006)"],
    [
      "service_identity",
      "[<twisted.python.failure.Failure service_identity.exceptions.VerificationError: VerificationError(errors=[DNSMismatch(mismatched_id=DNS_ID(hostname=b'bridge'))])>]"
    ],
    ["urllib3", "CertificateError: hostname 'bridge' doesn't match 'a.example'"],
    ["native-tls", "certificate verify failed:ssl/statem/statem_clnt.c:1883: (hostname mismatch)"],
    [
      "node:tls",
      "Hostname/IP does not match certificate's altnames: Host: bridge. is not in the cert's altnames: DNS:a.example"
    ],
    ["JSSE", "java.security.cert.CertificateException: No subject alternative DNS name matching bridge found."],
    ["JSSE", "No subject alternative names matching IP address 10.0.0.5 found"],
    ["OkHttp", "SSLPeerUnverifiedException: Hostname bridge not verified:\n    certificate: sha256/x"],
    ["libcurl", "SSL: no alternative certificate subject name matches target host name 'bridge'"]
  ]),
  lasting("L: an expired certificate", https, /certificate has expired/, [
    [
      "crypto/x509",
      `Post "${askedTls}": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-27T10:00:00Z is after 2025-01-01T00:00:00Z`
    ],
    ["crypto/x509, macOS", "x509: “bridge” certificate is expired"],
    [
      "rustls",
      "invalid peer certificate: certificate expired: verification time 1795821568 (UNIX), but certificate is not valid after 1609459200 (186362368 seconds ago)"
    ],
    ["rustls, older", "invalid peer certificate: Expired"],
    ["rustls, Debug", "Custom { kind: InvalidData, error: InvalidCertificate(Expired) }"],
    ["ssl", "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)"],
    [
      "native-tls",
      "SSL routines:tls_post_process_server_certificate:certificate verify failed: (certificate has expired)"
    ],
    [
      "JSSE",
      "PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed: java.security.cert.CertificateExpiredException: NotAfter: Fri Jan 01 00:00:00 UTC 2021"
    ],
    ["SslStream", "The remote certificate is invalid because of errors in the certificate chain: NotTimeValid"],
    ["ssl, Erlang", "{tls_alert,{certificate_expired,\"TLS client: In state certify\"}}"]
  ]),
  lasting("L: a certificate that is not valid yet", https, /certificate is not valid yet/, [
    [
      "crypto/x509",
      "x509: certificate has expired or is not yet valid: current time 2026-11-27T10:00:00Z is before 2119-01-01T00:00:00Z"
    ],
    [
      "rustls",
      "invalid peer certificate: certificate not valid yet: verification time 1795821568 (UNIX), but certificate is not valid before 4701974400 (2906152832 seconds in future)"
    ],
    ["rustls, older", "invalid peer certificate: NotValidYet"],
    ["ssl", "certificate verify failed: certificate is not yet valid (_ssl.c:1006)"],
    ["JSSE", "java.security.cert.CertificateNotYetValidException: NotBefore: Sun Jan 01 00:00:00 UTC 2119"]
  ]),
  lasting("L: a certificate that is not trusted", https, /certificate is not (?:trusted|accepted.*not trusted)/, [
    ["crypto/x509", "x509: certificate signed by unknown authority"],
    ["crypto/x509, macOS", "x509: “bridge” certificate is not trusted"],
    [
      "ssl",
      "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self signed certificate in certificate chain"
    ],
    ["rustls", "invalid peer certificate: UnknownIssuer"],
    [
      "rustls",
      "invalid peer certificate: UnsupportedSignatureAlgorithmForPublicKeyContext { signature_algorithm_id: [6, 8] }"
    ],
    ["rustls", "invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))"],
    ["ssl", "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)"],
    ["ssl", "certificate verify failed: unable to get local issuer certificate (_ssl.c:1006)"],
    [
      "Synapse",
      "RequestTransmissionFailed: [<twisted.python.failure.Failure OpenSSL.SSL.Error: [('SSL routines', '', 'certificate verify failed')]>]"
    ],
    ["native-tls", "certificate verify failed: (self signed certificate in certificate chain)"],
    ["node:tls", "unable to verify the first certificate"],
    [
      "JSSE",
      "PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target"
    ],
    ["Android", "java.security.cert.CertPathValidatorException: Trust anchor for certification path not found."],
    ["Schannel", "The certificate chain was issued by an authority that is not trusted. (os error -2146762487)"],
    ["GnuTLS", "The certificate is NOT trusted. The certificate issuer is unknown."]
  ]),
  lasting("L: a client certificate is required", https, /certificate of the caller/, [
    ["crypto/tls", "remote error: tls: certificate required"],
    ["crypto/tls", "remote error: tls: bad certificate"],
    ["rustls", "received fatal alert: CertificateRequired"],
    ["OpenSSL", "[('SSL routines', '', 'tlsv13 alert certificate required')]"],
    ["JSSE", "Received fatal alert: bad_certificate"]
  ]),
  lasting("L: no common version or cipher", https, /version or cipher/, [
    ["crypto/tls", "remote error: tls: handshake failure"],
    ["crypto/tls", "tls: server selected unsupported protocol version 301"],
    ["rustls", "received fatal alert: HandshakeFailure"],
    ["rustls", "received fatal alert: ProtocolVersion"],
    [
      "Synapse",
      "RequestTransmissionFailed: [<twisted.python.failure.Failure OpenSSL.SSL.Error: [('SSL routines', '', 'tlsv1 alert protocol version')]>]"
    ],
    ["ssl", "[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure (_ssl.c:1006)"],
    ["JSSE", "No appropriate protocol (protocol is disabled or cipher suites are inappropriate)"]
  ]),
  passing("M: the homeserver's own proxy", http, /own proxy/, [
    ["net/http", `Post "${asked}": Proxy Authentication Required`],
    ["net/http", `Post "${askedTls}": proxyconnect tcp: EOF`],
    ["net/http", `Post "${asked}": socks connect tcp 127.0.0.1:9050->bridge:29318: unknown error host unreachable`],
    ["hyper-util", "client error (Connect): tunnel error: proxy authorization required"],
    ["hyper-util", "tunnel error: failed to create underlying connection"],
    ["reqwest", "client error (Connect): socks connect error: Proxy server unreachable"],
    ["Synapse", "synapse.http.connectproxyclient.ProxyConnectError: (502) Bad Gateway"],
    ["requests", "ProxyError('Cannot connect to proxy.', ConnectionRefusedError(111, 'Connection refused'))"],
    ["urllib3", "OSError: Tunnel connection failed: 403 Forbidden"],
    ["aiohttp", "ClientHttpProxyError: 407, message='Proxy Authentication Required', url='http://proxy:3128'"],
    ["undici", "Proxy response (407) !== 200 when HTTP Tunneling"],
    ["tunnel-agent", "tunneling socket could not be established, cause=connect ECONNREFUSED 10.0.0.1:3128"],
    ["OkHttp", "IOException: Unexpected response code for CONNECT: 403"],
    ["java.net", "Unable to tunnel through proxy. Proxy returns \"HTTP/1.1 503 Service Unavailable\""],
    ["libcurl", "Could not resolve proxy: proxy.corp"],
    ["libcurl", "CONNECT tunnel failed, response 403"],
    ["System.Net.Http", "The proxy tunnel request to proxy 'http://proxy:3128/' failed with status code '407'."]
  ], "homeserver admin"),
  lasting("Synapse: an answer without a length", http, /no length/, [
    ["twisted", "PartialDownloadError: 200 OK"],
    ["twisted, qualified", "twisted.web.client.PartialDownloadError: 200 OK"],
    ["twisted, no reason", "PartialDownloadError: 200 "]
  ]),
  lasting("not JSON", http, /not in JSON/, [
    ["json", "JSONDecodeError: Extra data: line 1 column 3 (char 2)"],
    ["json", "JSONDecodeError: Unterminated string starting at: line 1 column 2 (char 1)"],
    ["json", "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"],
    ["json", "RecursionError: maximum recursion depth exceeded while decoding a JSON array from a unicode string"],
    ["Synapse", "ValueError: Invalid JSON value: 'NaN'"],
    ["aiohttp", "ContentTypeError: 200, message='Attempt to decode JSON with unexpected mimetype: text/html'"],
    ["encoding/json", "invalid character '<' looking for beginning of value"],
    ["encoding/json", "unexpected end of JSON input"],
    ["serde_json", "expected value at line 1 column 1"],
    ["serde_json", "EOF while parsing a value at line 1 column 0"],
    ["V8", "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON"],
    ["kotlinx.serialization", "JsonDecodingException: Unexpected JSON token at offset 0"]
  ]),
  lasting("malformed", http, /does not speak HTTP correctly/, [
    [
      "twisted",
      "ResponseFailed: [<twisted.python.failure.Failure builtins.ValueError: not enough values to unpack (expected 2, got 1)>]"
    ],
    [
      "twisted",
      "ResponseFailed: [<twisted.python.failure.Failure builtins.ValueError: non-decimal digits in content-length>]"
    ],
    [
      "twisted",
      "ResponseFailed: [<twisted.python.failure.Failure builtins.ValueError: invalid literal for int() with base 10: b'x'>]"
    ],
    ["h11", "RemoteProtocolError: illegal status line: bytearray(b'SSH-2.0-OpenSSH_9.6')"],
    ["net/http", "net/http: HTTP/1.x transport connection broken: malformed HTTP version \"SSH-2.0-OpenSSH_9.6\""],
    ["net/textproto", "net/http: HTTP/1.x transport connection broken: malformed MIME header line: x"],
    ["hyper", "invalid HTTP header parsed"],
    ["hyper", "invalid HTTP status-code parsed"],
    ["hyper", "invalid content-length parsed"],
    ["hyper", "message head is too large"],
    ["llhttp", "Parse Error: Expected HTTP/"],
    ["OkHttp", "ProtocolException: Unexpected status line: SSH-2.0-OpenSSH_9.6"]
  ]),
  passing("a timeout", http, /timed out/, [
    ["twisted", "ResponseFailed: [<twisted.python.failure.Failure twisted.internet.defer.CancelledError: >]"],
    ["twisted", "RequestGenerationFailed: [<twisted.python.failure.Failure twisted.internet.defer.CancelledError: >]"],
    ["net/http", `Post "${asked}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`],
    ["net/http", `Post "${askedTls}": net/http: TLS handshake timeout`],
    ["tokio", "tcp connect error: deadline has elapsed"],
    ["reqwest, Debug", "source: hyper_util::client::legacy::Error(Connect, TimedOut)"],
    ["httpx", "ReadTimeout"],
    ["java.net", "SocketTimeoutException: Read timed out"],
    [
      "ktor",
      "HttpRequestTimeoutException: Request timeout has expired [url=http://bridge:29318, request_timeout=30000 ms]"
    ]
  ], "network"),
  passing("refused", http, /Nothing listens/, [
    ["twisted", "ConnectionRefusedError: Connection was refused by other side: 111: Connection refused."],
    ["net", "dial tcp 10.0.0.5:29318: connect: connection refused"],
    ["hyper-util", "tcp connect error: Connection refused (os error 111)"],
    ["macOS", "tcp connect error: Connection refused (os error 61)"],
    ["Windows", "No connection could be made because the target machine actively refused it. (os error 10061)"],
    ["node:net", "connect ECONNREFUSED 10.0.0.5:29318"],
    ["java.net", "java.net.ConnectException: Connection refused"]
  ]),
  passing("DNS", http, /host name of the appservice .* could not be found/, [
    ["net", "dial tcp: lookup bridge on 127.0.0.11:53: no such host"],
    ["net", "dial tcp: lookup timeout.example on 8.8.8.8:53: read udp 10.0.0.2:1->8.8.8.8:53: i/o timeout"],
    ["hickory", "proto error: no records found for Query { name: Name(\"bridge.\"), query_type: AAAA }"],
    ["hyper-util", "dns error: failed to lookup address information: Temporary failure in name resolution"],
    ["aiohttp", "Cannot connect to host bridge:29318 ssl:default [Name does not resolve]"],
    ["java.net", "UnknownHostException: bridge: Name or service not known"],
    ["libcurl", "Could not resolve host: bridge"],
    ["Erlang", "{failed_connect,[{inet,[inet],nxdomain}]}"]
  ])
]

/** Bodies of answers to plain HTTP on a port that speaks TLS. */
export const httpToTls: ReadonlyArray<readonly [server: string, status: number, body: string]> = [
  [
    "nginx",
    400,
    "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>The plain HTTP request was sent to HTTPS port</center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
  ],
  [
    "Apache httpd",
    400,
    "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>400 Bad Request</title>\n</head><body>\n<h1>Bad Request</h1>\n<p>Your browser sent a request that this server could not understand.<br />\nReason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n Instead use the HTTPS scheme to access this URL, please.<br />\n</p>\n</body></html>\n"
  ],
  ["Go, Caddy, Traefik", 400, "Client sent an HTTP request to an HTTPS server.\n"],
  ["Tomcat", 400, "Bad Request\r\nThis combination of host and port requires TLS.\r\n"],
  ["cheroot", 400, "The client sent a plain HTTP request, but this server only speaks HTTPS on this port."],
  ["in JSON", 400, "{\"error\":\"HTTP request sent to HTTPS port\"}"],
  ["nginx's own status", 497, ""]
]
