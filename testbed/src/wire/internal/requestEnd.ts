/** Tells where a request ends, so that a fault strikes when all of it was read: a close with unread bytes is an RST. */

const latin1 = new TextDecoder("latin1")

const header = (head: string, name: string): string | undefined =>
  new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, "im").exec(head)?.[1]

/**
 * Tells whether the bytes hold a whole request.
 *
 * A request this cannot make sense of counts as whole once its head is there: what is wrong with it is the business of
 * whoever gets to answer it.
 */
export const isWholeRequest = (bytes: Uint8Array): boolean => {
  const text = latin1.decode(bytes)
  const end = text.indexOf("\r\n\r\n")
  if (end === -1) return false
  const head = text.slice(0, end)
  const body = text.slice(end + 4)
  if (/chunked$/i.test(header(head, "transfer-encoding") ?? "")) {
    return /(?:^|\r\n)0+\r\n(?:[^\r\n]+\r\n)*\r\n$/.test(body)
  }
  const length = header(head, "content-length")
  return length === undefined || !/^\d+$/.test(length) || body.length >= Number(length)
}
