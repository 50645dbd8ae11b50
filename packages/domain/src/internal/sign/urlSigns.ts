/** A url, a token or a transaction id that a homeserver cannot send as it is written. */
import type { Row } from "./Sign.ts"

export const urlSigns: ReadonlyArray<Row> = [
  // The token, in its header.
  {
    sign: "transactionId",
    family: "Python",
    pattern: /surrogates not allowed|'utf-8' codec can't encode/i,
    source: "json, str.encode"
  },
  {
    sign: "url",
    part: "host",
    family: "Python",
    pattern: /'idna' codec can't encode|encoding with 'idna' codec failed/i,
    source: "encodings.idna"
  },
  {
    sign: "token",
    family: "Python",
    pattern: /UnicodeEncodeError|'(?:ascii|latin-1|iso-8859-1)' codec can't encode/i,
    source: "Twisted, http.client, httpx: header values"
  },
  {
    sign: "token",
    family: "Python",
    pattern:
      /Invalid header value|(?:Newline|carriage return)[^.]{0,40} detected in headers|return character\(s\) in header value|Illegal header value/i,
    source: "http.client, aiohttp, requests, h11"
  },
  { sign: "token", family: "Go", pattern: /invalid header field value/i, source: "net/http" },
  {
    sign: "token",
    family: "Rust",
    pattern: /failed to parse header value|InvalidHeaderValue|invalid HTTP header value/i,
    source: "http::header"
  },
  {
    sign: "token",
    family: "Node",
    pattern:
      /ERR_INVALID_CHAR|Invalid character in header content|is an invalid header value|invalid authorization header/i,
    source: "node:http, undici"
  },
  {
    sign: "token",
    family: "Java",
    pattern:
      /Unexpected char 0x[\da-f]+ at \d+ in|Header value '[^']*' contains illegal character|IllegalHeaderValue|invalid header value/i,
    source: "OkHttp, ktor, java.net.http"
  },
  { sign: "token", family: "ours", pattern: /character that no HTTP header can carry/i, source: "client" },

  // The scheme.
  {
    sign: "url",
    part: "scheme",
    family: "Python",
    pattern:
      /SchemeNotSupported|Unsupported scheme|MissingSchema|InvalidSchema|No (?:scheme|connection adapters were)|UnsupportedProtocol|NonHttpUrl|missing an 'http:\/\/' or 'https:\/\/' protocol|URLSchemeUnknown|unknown url type/i,
    source: "twisted.web.client, requests, httpx, aiohttp, urllib"
  },
  {
    sign: "url",
    part: "scheme",
    family: "Go",
    pattern: /unsupported protocol scheme|missing protocol scheme/i,
    source: "net/http, net/url"
  },
  {
    sign: "url",
    part: "scheme",
    family: "Rust",
    pattern:
      /scheme is not (?:allowed|http)|scheme is missing|invalid scheme|InvalidScheme|BadScheme|UnsupportedScheme|URL scheme/i,
    source: "reqwest, hyper-util, http::uri"
  },
  {
    sign: "url",
    part: "scheme",
    family: "Node",
    pattern:
      /ERR_INVALID_PROTOCOL|Protocol "[^"]*" not supported|unknown scheme|Only HTTP\(S\) (?:protocols|URLs)|protocol must be http|URL scheme must be|scheme '[^']*' not supported|neither http nor https/i,
    source: "node:http, undici, node-fetch, Bun, Deno"
  },
  {
    sign: "url",
    part: "scheme",
    family: "Java",
    pattern: /Expected URL scheme|unknown protocol:|no protocol:|invalid URI scheme|URI with undefined scheme/i,
    source: "OkHttp, java.net, java.net.http"
  },
  {
    sign: "url",
    part: "scheme",
    family: "curl",
    pattern: /Protocol "?[\w+.-]*"? (?:not supported|disabled)|^Unsupported protocol\b(?! scheme)/i,
    source: "libcurl"
  },
  {
    sign: "url",
    part: "scheme",
    family: ".NET",
    pattern: /Only 'http' and 'https' schemes are allowed|scheme is not supported/i,
    source: "System.Net.Http"
  },

  // The port.
  {
    sign: "url",
    part: "port",
    family: "Python",
    pattern:
      /port must not be empty|expected integer for port|invalid port|nonnumeric port|port must be 0-65535|Port out of range|Port could not be cast/i,
    source: "hyperlink, http.client, socket, urllib.parse"
  },
  {
    sign: "url",
    part: "port",
    family: "Go",
    pattern: /invalid port|unknown port|missing port in address|too many colons in address/i,
    source: "net, net/url"
  },
  { sign: "url", part: "port", family: "Rust", pattern: /invalid port number|InvalidPort/i, source: "url" },
  {
    sign: "url",
    part: "port",
    family: "Node",
    pattern: /ERR_SOCKET_BAD_PORT|Port should be >= ?0/i,
    source: "node:net"
  },
  {
    sign: "url",
    part: "port",
    family: "Java",
    pattern: /Invalid URL port|port out of range/i,
    source: "OkHttp, java.net"
  },
  {
    sign: "url",
    part: "port",
    family: "curl",
    pattern: /Port number was not a decimal number|Invalid port specified/i,
    source: "libcurl, .NET"
  },
  {
    sign: "url",
    part: "refusedPort",
    family: "ours",
    pattern: /HTTP client refuses this port|\bbad port\b|unsafe port|port (?:is )?(?:blocked|restricted)/i,
    source: "WHATWG Fetch: port blocking"
  },

  // Userinfo.
  {
    sign: "url",
    part: "userinfo",
    family: "Python",
    pattern: /invalid hostname: [^\s@]*@/i,
    source: "twisted.web.client"
  },
  { sign: "url", part: "userinfo", family: "Go", pattern: /invalid userinfo/i, source: "net/url" },
  { sign: "url", part: "userinfo", family: "Node", pattern: /URL that includes credentials/i, source: "undici" },

  // The host.
  {
    sign: "url",
    part: "host",
    family: "Python",
    pattern:
      /InvalidCodepoint|IDNAError|IDNABidiError|Codepoint U\+[\dA-F]+|invalid hostname|Invalid IPv6 URL|label (?:too long|empty)|Empty (?:Label|domain)|Label (?:has|must|begins)|Domain too long|not a valid A-label|does not appear to be an IPv[46]|LocationParseError|invalid IPv[46] address/i,
    source: "idna, twisted.web.client, urllib, ipaddress"
  },
  {
    sign: "url",
    part: "host",
    family: "Go",
    pattern:
      /invalid character [^:]{1,12} in host name|missing '\]' in host|no Host in request URL|idna: |invalid host/i,
    source: "net/url, net/http, x/net/idna"
  },
  {
    sign: "url",
    part: "host",
    family: "Rust",
    pattern:
      /empty host|invalid international domain name|invalid IPv[46] address|invalid domain character|host is missing|EmptyHost|IdnaError|InvalidIpv[46]Address|InvalidDomainCharacter|invalid authority|InvalidDnsNameError|invalid dnsname|invalid server name/i,
    source: "url, http::uri, rustls"
  },
  {
    sign: "url",
    part: "host",
    family: "Java",
    pattern: /Invalid URL host|Illegal character in (?:authority|hostname)|unsupported URI/i,
    source: "OkHttp, java.net, java.net.http"
  },
  {
    sign: "url",
    part: "host",
    family: ".NET",
    pattern: /hostname could not be parsed|hostname cannot be parsed/i,
    source: "System.Uri"
  },

  // The whole of it.
  {
    sign: "url",
    part: "whole",
    family: "Python",
    pattern: /URLParseError|URLRequired|InvalidURL|InvalidUrl|Failed to parse: |URL can't contain control characters/i,
    source: "hyperlink, http.client, requests, aiohttp"
  },
  {
    sign: "url",
    part: "whole",
    family: "Go",
    pattern:
      /parse "[^"]*": |first path segment in URL|empty url|invalid URI for request|invalid control character in URL|invalid URL escape/i,
    source: "net/url"
  },
  {
    sign: "url",
    part: "whole",
    family: "Rust",
    pattern:
      /builder error|kind: Builder|relative URL without a base|RelativeUrlWithoutBase|invalid ur[il]\b|InvalidUri|absolute-form URIs|invalid uri character|cannot-be-a-base/i,
    source: "reqwest, url, http::uri, hyper"
  },
  {
    sign: "url",
    part: "whole",
    family: "Node",
    pattern:
      /ERR_INVALID_URL|Invalid URL|Failed to parse URL|Only absolute URLs|URL is invalid|ERR_UNESCAPED_CHARACTERS|contains unescaped characters/i,
    source: "node:url, undici, node-fetch, Bun"
  },
  {
    sign: "url",
    part: "whole",
    family: "Java",
    pattern: /URISyntaxException|MalformedURLException|URLParserException|Illegal character in |Fail to parse url/i,
    source: "java.net, ktor"
  },
  {
    sign: "url",
    part: "whole",
    family: "curl",
    pattern: /URL rejected|bad\/illegal format or missing URL/i,
    source: "libcurl"
  },
  { sign: "url", part: "whole", family: ".NET", pattern: /Invalid URI: /i, source: "System.Uri" }
]
