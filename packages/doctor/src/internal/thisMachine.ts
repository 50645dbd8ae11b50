/** Whether an address belongs to this machine. */
import { isIP } from "node:net"
import { networkInterfaces } from "node:os"

/** An IPv4 address may arrive in the form of IPv6. */
const canonical = (address: string): string => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "").toLowerCase()

const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1"

const isUnspecified = (address: string): boolean => address === "0.0.0.0" || address === "::"

/** Whether an address is loopback or one of this machine's interfaces. */
export const isThisMachine = (address: string): boolean => {
  const wanted = canonical(address)
  if (isIP(wanted) === 0) return false
  return isLoopback(wanted) || isUnspecified(wanted) ||
    Object.values(networkInterfaces()).some((addresses) =>
      addresses?.some((found) => canonical(found.address) === wanted) ?? false
    )
}
