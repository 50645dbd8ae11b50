/** Runs `f` and gives the milliseconds of processor time it took: a busy machine makes it wait, but not work more. */
export const cpuMillis = (f: () => unknown): number => {
  const before = process.cpuUsage()
  f()
  const { system, user } = process.cpuUsage(before)
  return (user + system) / 1000
}
