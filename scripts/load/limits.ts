/** The limits of the homeserver under load, small enough to meet every one of them on a small machine. */
export const limits = {
  maxConnections: 512,
  maxConcurrentPings: 128,
  maxConcurrentPingsPerAppservice: 32,
  maxBodyBytesInFlight: 16 * 1024 * 1024,
  timeout: "3 seconds"
} as const
