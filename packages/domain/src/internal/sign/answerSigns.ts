/** Something answered, and a homeserver calls the connection failed: it did not like the answer. */
import type { Row } from "./Sign.ts"

export const answerSigns: ReadonlyArray<Row> = [
  {
    sign: "noLength",
    family: "Python",
    pattern: /PartialDownload/i,
    source: "twisted.web.client, of an answer that only its end delimits"
  },
  {
    sign: "redirect",
    family: "Python",
    pattern:
      /PageRedirect|InfiniteRedirect|RedirectWithNoLocation|TooManyRedirects|RedirectClientError|Exceeded \d+ redirects/i,
    source: "twisted.web.error, requests, aiohttp, httpx"
  },
  {
    sign: "redirect",
    family: "Go",
    pattern:
      /stopped after \d+ redirects|failed to parse Location header|no Location header|Location header was (?:missing|not)/i,
    source: "net/http"
  },
  {
    sign: "redirect",
    family: "Rust",
    pattern: /error following redirect|too many redirects|kind: Redirect|redirect loop/i,
    source: "reqwest"
  },
  {
    sign: "redirect",
    family: "Node",
    pattern:
      /redirect count exceeded|unexpected redirect|maximum redirect|redirect mode is set to error|Too many redirects/i,
    source: "undici, node-fetch, axios, got"
  },
  {
    sign: "redirect",
    family: "Java",
    pattern: /Too many follow-up requests|redirected too many|SendCountExceed|HttpRedirectException/i,
    source: "OkHttp, java.net, ktor"
  },
  {
    sign: "redirect",
    family: "any",
    pattern: /\bredirect(?:s|ed|ing|ion)?\b(?![-_.])/i,
    source: "many clients",
    possible: true
  },
  {
    sign: "notJson",
    family: "Python",
    pattern:
      /JSONDecodeError|Expecting (?:value|property name|',' delimiter|':' delimiter)|Extra data: line|UnicodeDecodeError|codec can't decode|RecursionError|maximum recursion depth|Invalid JSON value|Unterminated string starting|Invalid (?:control character|\\+escape)|ContentDecodeError|ContentTypeError|InvalidJSONError|unexpected mimetype/i,
    source: "json, Synapse, treq, aiohttp"
  },
  {
    sign: "notJson",
    family: "Go",
    pattern:
      /looking for beginning of (?:value|object key string)|unexpected end of JSON input|json: cannot unmarshal|invalid character .{1,12} (?:after|in) (?:top-level|string|literal|object|array|numeric)/i,
    source: "encoding/json"
  },
  {
    sign: "notJson",
    family: "Rust",
    pattern:
      /expected (?:value|ident|`.`) at line|EOF while parsing|recursion limit exceeded|trailing characters at line|invalid type: .{1,60}, expected|control character .{1,60} found|key must be a string at/i,
    source: "serde_json"
  },
  {
    sign: "notJson",
    family: "Node",
    pattern:
      /is not valid JSON|in JSON at position|Unexpected (?:token|end of JSON)|JSON Parse error|Unexpected non-whitespace character after JSON/i,
    source: "V8, JavaScriptCore"
  },
  {
    sign: "notJson",
    family: "Java",
    pattern:
      /Unexpected JSON token|JsonParseException|MalformedJsonException|JsonDecodingException|SerializationException|NoTransformationFound|A JSONObject text must begin/i,
    source: "kotlinx.serialization, Jackson, Gson, ktor, org.json"
  },
  {
    sign: "notJson",
    family: "any",
    pattern:
      /not (?:valid |well-formed )?JSON|invalid JSON|(?:parse|parsing|decode|decoding) (?:the )?JSON|not valid UTF-8|invalid utf-?8/i,
    source: "many programs"
  },
  {
    sign: "unreadable",
    family: "Rust",
    pattern: /error decoding response body|kind: Decode|error reading a body/i,
    source: "reqwest, hyper",
    possible: true
  },
  {
    sign: "answered",
    family: "Rust",
    pattern:
      /(?:Received|gave|returned|sent|got) (?:an )?(?:invalid|unexpected|unsuccessful|bad|error) (?:HTTP )?(?:response|answer|reply|status)/i,
    source: "Conduit, conduwuit and its relatives"
  }
]

/** An answer that is no HTTP, or breaks its rules. */
export const malformedSigns: ReadonlyArray<Row> = [
  {
    sign: "malformed",
    family: "ours",
    pattern:
      /not valid HTTP|headers were too large|contradicts its header|answer was too large|encoded as its header|compressed body was cut|switched (?:to another )?protocol|informational answers/i,
    source: "ConnectionFailure, server"
  },
  {
    sign: "malformed",
    family: "Python",
    pattern:
      /ParseError|MalformedChunk|BadStatusLine|Bad status line|not enough values to unpack|too many values to unpack|non-decimal digits|invalid literal for int|wrong number of parts|LineTooLong|got more than \d+|illegal (?:status|header|chunk)|BadHttpMessage|BadResponseVersion|Chunk length must|chunk must end|InvalidChunkLength|PayloadEncodingError|HeaderParsingError|Content-?DecodingError|(?<!Unicode|JSON)DecodingError|conflicting Content-Length|InvalidHeader\b|TransferEncodingError|RemoteProtocolError(?!.{0,40}(?:disconnect|closed|without))|UnknownTransferEncoding|UnsupportedHTTP|ContentEncodingError|while decompressing|Not a gzipped file|UnknownProtocol|Invalid HTTP|Excess found|IncompleteHead/i,
    source: "twisted.web, http.client, aiohttp, h11, zlib"
  },
  {
    sign: "malformed",
    family: "Go",
    pattern:
      /malformed (?:HTTP|MIME|chunked)|invalid byte in chunk|chunk length too large|multiple Content-Length|suspiciously long trailer|bad trailer key|invalid header |bad Content-Length|too many transfer encodings|unsupported transfer encoding|response headers exceeded|more than declared|gzip: invalid|flate: corrupt|http2: |too many 1xx|invalid (?:Read on|trailer)|unsolicited response/i,
    source: "net/http, net/textproto, compress"
  },
  {
    sign: "malformed",
    family: "Rust",
    pattern:
      /invalid HTTP|HTTP parse|hyper::Error\(Parse|invalid content-length|message head is too large|invalid chunk|http2 error|corrupt deflate|invalid gzip|UnexpectedMessage|InvalidData|invalid transfer-encoding/i,
    source: "hyper, h2, flate2"
  },
  {
    sign: "malformed",
    family: "Node",
    pattern:
      /\bHPE_|Parse Error|HTTPParserError|not match the HTTP\/1\.1 protocol|incorrect header check|Z_(?:DATA|BUF)_ERROR|UND_ERR_(?:HEADERS_OVERFLOW|RES_CONTENT_LENGTH)|Content-Length mismatch|Expected HTTP\//i,
    source: "llhttp, undici, zlib"
  },
  {
    sign: "malformed",
    family: "Java",
    pattern:
      /Unexpected status line|Invalid (?:status line|chunk header|HTTP)|ParserException|ProtocolException|Not in GZIP format|header parser|Unsupported HTTP version|Expected leading/i,
    source: "OkHttp, ktor, java.net.http"
  },
  {
    sign: "malformed",
    family: "curl",
    pattern:
      /Received HTTP\/0\.9|Weird server reply|Invalid Content-Length|chunk hex-length|Illegal or missing hexadecimal/i,
    source: "libcurl"
  },
  {
    sign: "malformed",
    family: ".NET",
    pattern: /invalid status line|Received an invalid|server committed a protocol violation/i,
    source: "System.Net.Http"
  },
  { sign: "malformed", family: "any", pattern: /\bmalformed\b|protocol (?:error|violation)/i, source: "many clients" }
]
