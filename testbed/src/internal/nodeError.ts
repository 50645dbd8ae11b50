/**
 * What `node:http` raises when an exchange fails, as measured on Node 24: a client in memory raises the same, so that
 * whoever looks at a cause finds the code that it has on a socket.
 */
import type { Defect } from "../Reading.ts"

const make = (message: string, fields: { readonly [name: string]: string | number }): Error =>
  Object.assign(new Error(message), fields)

export const refused = (host: string, port: number): Error =>
  make(`connect ECONNREFUSED ${host}:${port}`, { code: "ECONNREFUSED", syscall: "connect", address: host, port })

export const notFound = (host: string): Error =>
  make(`getaddrinfo ENOTFOUND ${host}`, { code: "ENOTFOUND", syscall: "getaddrinfo", hostname: host })

/** A FIN has the code of an RST, and only the text tells them apart. */
export const ofDefect = (defect: Defect, isAfterHead: boolean): Error => {
  switch (defect) {
    case "malformed":
      return make("Parse Error: Expected HTTP/, RTSP/ or ICE/", { code: "HPE_INVALID_CONSTANT" })
    case "reset":
      return make("read ECONNRESET", { code: "ECONNRESET", syscall: "read" })
    case "closed":
      return make(isAfterHead ? "aborted" : "socket hang up", { code: "ECONNRESET" })
  }
}
