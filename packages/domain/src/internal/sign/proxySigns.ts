/** The forward proxy of the caller: what says that it was the proxy which failed, and not the way behind it. */
import type { Row } from "./Sign.ts"

export const proxySigns: ReadonlyArray<Row> = [
  {
    sign: "proxy",
    family: "Go",
    pattern: /proxyconnect|socks connect|Proxy Authentication Required/i,
    source: "net/http, x/net/proxy"
  },
  {
    sign: "proxy",
    family: "Rust",
    pattern:
      /tunnel error|unsuccessful tunnel|proxy auth(?:orization|entication) required|socks[45h]?[ :]|ProxyConnect|proxy connect error/i,
    source: "hyper-util, reqwest"
  },
  {
    sign: "proxy",
    family: "Python",
    pattern:
      /ProxyError|InvalidProxyURL|ProxyScheme|ProxyConnectError|ProxyConnectionError|ClientHttpProxyError|connect to (?:the )?proxy|Tunnel connection failed|HTTPConnectionFailed|SOCKS[45]?(?:Error|Connection|HTTP)/i,
    source: "requests, Synapse, aiohttp, urllib3, httpx, PySocks"
  },
  {
    sign: "proxy",
    family: "Node",
    pattern:
      /HTTP Tunneling|tunneling socket could not be established|Proxy CONNECT|proxy connection (?:ended|failed|timed out)|Proxy response \(\d+\)|failed to establish proxy/i,
    source: "undici, tunnel-agent, https-proxy-agent"
  },
  {
    sign: "proxy",
    family: "Java",
    pattern:
      /response code for CONNECT|tunnel through proxy|authenticate with proxy|SOCKS (?:proxy|server|:)|Too many tunnel connections|ProxyConnectException/i,
    source: "OkHttp, java.net"
  },
  { sign: "proxy", family: ".NET", pattern: /proxy tunnel request/i, source: "System.Net.Http" },
  {
    sign: "proxy",
    family: "curl",
    pattern: /resolve proxy|CONNECT tunnel failed|from proxy after CONNECT|proxy handshake/i,
    source: "libcurl"
  },
  { sign: "proxy", family: "Erlang", pattern: /proxy_(?:error|connection_failed)/i, source: "hackney" },
  {
    sign: "proxy",
    family: "ours",
    pattern: /the proxy that the connection goes through/i,
    source: "ConnectionFailure"
  },
  {
    sign: "blocked",
    family: "Python",
    pattern: /IP address blocked|blocked by (?:the )?IP|IP (?:range )?(?:blacklist|blocklist|denylist)/i,
    source: "Synapse"
  },
  {
    sign: "blocked",
    family: "Rust",
    pattern:
      /(?:address|IP|host) is (?:blocked|denied|forbidden)|not allowed to (?:make|send) requests? to|Requesting from this address is not allowed/i,
    source: "conduwuit and its relatives"
  }
]
