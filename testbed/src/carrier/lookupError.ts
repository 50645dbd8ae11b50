/** What a name server that fails makes `getaddrinfo` say, with the very fields that Node gives it. */

const codes = {
  not_found: { code: "ENOTFOUND", errno: -3008 },
  try_again: { code: "EAI_AGAIN", errno: -3001 }
} as const

export const lookupError = (failure: keyof typeof codes, hostname: string): NodeJS.ErrnoException => {
  const { code, errno } = codes[failure]
  return Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), { errno, code, syscall: "getaddrinfo", hostname })
}
