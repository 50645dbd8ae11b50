/** Reads the status of an answer from a text that calls a bad status a failed connection. */

const reasons: ReadonlyArray<readonly [reason: string, status: number]> = [
  ["Bad Gateway", 502],
  ["Gateway Time-?out", 504],
  ["Service (?:Temporarily )?Unavailable", 503],
  ["Too Many Requests", 429],
  ["Request Entity Too Large", 413],
  ["Method Not Allowed", 405]
]

const reasonWords = [
  "Bad Request",
  "Conflict",
  "Forbidden",
  "Gone",
  "I'm a teapot",
  "Internal",
  "Length Required",
  "Misdirected",
  "Multiple Choices",
  "Not (?:Acceptable|Found|Implemented|Modified)",
  "Payload Too Large",
  "Proxy Auth",
  "Request Time",
  "Too Early",
  "Un(?:authorized|processable|supported)",
  "Upgrade Required",
  ...reasons.map(([reason]) => reason)
].join("|")

const statusPatterns: ReadonlyArray<RegExp> = [
  /\bstatus(?:[ _-]?code)?(?: of| was| is)?[\s:=("'[]{0,3}([1-5]\d\d)\b/i,
  /\bHTTP(?:\/[\d.]{1,3})?(?: response| error| status| code){0,2}:?\s([1-5]\d\d)\b/i,
  /\b(?:answered|replied|returned|responded|response code|invalid):?(?: with| of)?:?\s(?:an? )?(?:HTTP )?([345]\d\d)\b/i,
  new RegExp(`\\b([345]\\d\\d)[\\s,:(]{1,3}(?:message=['"])?(?:${reasonWords})`, "i")
]

/** A success is no sign of a failure, and 100 Continue is no answer. */
const isBad = (status: number): boolean => status >= 300 || status === 101

/** The number comes before its reason phrase, which has words that other failures have too. */
export const statusOf = (text: string): number | undefined => {
  const number = statusPatterns.map((pattern) => Number(pattern.exec(text)?.[1])).find(isBad)
  return number ?? reasons.find(([reason]) => new RegExp(`\\b${reason}\\b`, "i").test(text))?.[1]
}
