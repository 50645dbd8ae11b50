/** A connection that was not made, or ended before the answer was complete. */
import type { Row } from "./Sign.ts"

export const dnsSigns: ReadonlyArray<Row> = [
  {
    sign: "dns",
    family: "ours",
    pattern: /host name (?:could not be resolved|has no address)/i,
    source: "ConnectionFailure"
  },
  {
    sign: "dns",
    family: "Python",
    pattern:
      /DNSLookupError|DNS lookup|gaierror|NameResolutionError|ClientConnectorDNSError|DomainError|DNSNameError|DNSServerError|failed to resolve|Errno -[2358]\b/i,
    source: "Twisted, socket, urllib3, aiohttp"
  },
  {
    sign: "dns",
    family: "Go",
    pattern:
      /dial tcp: lookup|\blookup\b.{0,260}(?:no such host|misbehaving|i\/o timeout|refused|no answer|canceled)|no such host|server misbehaving/i,
    source: "net"
  },
  {
    sign: "dns",
    family: "Rust",
    pattern:
      /dns error|lookup address|no records? found|NoRecordsFound|NXDomain|ResolveError|failed to resolve|could not resolve/i,
    source: "hyper-util, hickory"
  },
  {
    sign: "dns",
    family: "Node",
    pattern: /ENOTFOUND|\bEAI_|getaddrinfo|queryA+ |ENODATA|ESERVFAIL/i,
    source: "node:dns"
  },
  {
    sign: "dns",
    family: "Java",
    pattern: /UnknownHost|UnresolvedAddress|Unable to resolve host|Failed to resolve/i,
    source: "java.net, Netty, Android"
  },
  { sign: "dns", family: "curl", pattern: /Could(?:n't| not) resolve host|Resolving timed out/i, source: "libcurl" },
  { sign: "dns", family: "Erlang", pattern: /nxdomain/i, source: "inet" },
  {
    sign: "dns",
    family: "any",
    pattern:
      /could not be resolved|name resolution|name does not resolve|no address\b|name or service not known|nodename nor servname|No such host is known|host (?:name )?not found|unknown host/i,
    source: "glibc, musl, macOS, Windows"
  }
]

export const connectSigns: ReadonlyArray<Row> = [
  {
    sign: "refused",
    family: "any",
    pattern: /refused|ECONNREFUSED|Errno (?:111|61|10061)\b|os error (?:111|61|10061)\b|FailedToOpenSocket/i,
    source: "operating systems"
  },
  {
    sign: "unreachable",
    family: "any",
    pattern:
      /NoRoute|no route|unreach|EHOSTDOWN|ENETDOWN|host is down|network is down|(?:connection|operation) (?:was )?not permitted|UnsupportedAddress|address family not supported|assign requested address|AddrNotAvailable|connect: permission denied|os error (?:113|101|65|51|10051|10065)\b|Errno (?:113|101|65|51)\b/i,
    source: "operating systems"
  }
]

export const endedSigns: ReadonlyArray<Row> = [
  {
    sign: "reset",
    family: "any",
    pattern:
      /ConnectionReset|ECONNRESET|was reset|reset by peer|\breset\b(?![-_.])|os error (?:104|54|10054)\b|Errno (?:104|54)\b|forcibly closed/i,
    source: "operating systems"
  },
  {
    sign: "closed",
    family: "Python",
    pattern:
      /ConnectionDone|ConnectionLost|ConnectionAborted|ConnectionClosed|NeverReceived|DataLoss|ServerDisconnected|RemoteDisconnected|Remote end closed|IncompleteRead|ContentLengthError|ClientPayloadError|ChunkedEncodingError|payload is not completed|ReadError|WriteError|ProtocolError\('Connection|Server disconnected/i,
    source: "twisted.internet, http.client, aiohttp, requests, httpx"
  },
  {
    sign: "closed",
    family: "Go",
    pattern:
      /\bEOF\b|server closed (?:idle )?connection|use of closed network connection|transport connection broken|failed to read from server|closing network connection|broken pipe/i,
    source: "net/http, io"
  },
  {
    sign: "closed",
    family: "Rust",
    pattern:
      /IncompleteMessage|closed before message|end of file|UnexpectedEof|channel closed|ChannelClosed|operation was canceled|hyper::Error\(Canceled|connection closed|close_notify|BrokenPipe/i,
    source: "hyper, rustls"
  },
  {
    sign: "closed",
    family: "Node",
    pattern: /socket hang up|other side closed|\baborted\b|terminated|Premature close|UND_ERR_SOCKET|EPIPE/i,
    source: "node:http, undici"
  },
  {
    sign: "closed",
    family: "Java",
    pattern:
      /end of stream|EOFException|Premature|received no bytes|Connection closed|ClosedReceiveChannel|ClosedChannel|Unexpected end of file|NoHttpResponse/i,
    source: "OkHttp, ktor, java.net, Apache HttpClient"
  },
  { sign: "closed", family: "curl", pattern: /Empty reply from server|transfer closed with/i, source: "libcurl" },
  { sign: "closed", family: ".NET", pattern: /ended prematurely/i, source: "System.Net.Http" },
  {
    sign: "closed",
    family: "any",
    pattern: /\bclosed\b|cut short|cut off|hang up|hung up|disconnected|broken off|\blost\b/i,
    source: "many clients"
  }
]

export const timeoutSigns: ReadonlyArray<Row> = [
  {
    sign: "timeout",
    family: "Python",
    pattern: /CancelledError|TimeoutError|TCPTimedOut|(?:Connect|Read|Write|Pool|ServerConnection|Connection)Timeout/i,
    source: "twisted.internet, asyncio, requests, aiohttp, httpx"
  },
  {
    sign: "timeout",
    family: "Go",
    pattern: /deadline exceeded|Client\.Timeout|i\/o timeout|handshake timeout|awaiting (?:response )?headers/i,
    source: "net, net/http, context"
  },
  {
    sign: "timeout",
    family: "Rust",
    pattern: /TimedOut|deadline has elapsed|operation timed out/i,
    source: "tokio, reqwest"
  },
  {
    sign: "timeout",
    family: "Node",
    pattern: /E(?:SOCKET)?TIMEDOUT|UND_ERR_\w*TIMEOUT|HeadersTimeout|BodyTimeout/i,
    source: "node:net, undici"
  },
  {
    sign: "timeout",
    family: "Java",
    pattern: /SocketTimeout|TimeoutException|timeout has expired/i,
    source: "java.net, ktor, OkHttp"
  },
  {
    sign: "timeout",
    family: "any",
    pattern:
      /time[ds]?[- ]?out\b(?![-_.])|timedout|os error (?:110|60|10060)\b|Errno (?:110|60)\b|took too long|too slow/i,
    source: "operating systems, many clients"
  },
  // One homeserver prints no more than this of a timeout, and the cause of everything else.
  {
    sign: "timeout",
    family: "Rust",
    pattern: /^Request error: error sending request for url \(?\s*\)?\s*$/i,
    source: "continuwuity",
    possible: true
  }
]
